//! Tries the property `run-record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("run-record", bytes));
