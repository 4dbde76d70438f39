//! Tries the property `gate-record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("gate-record", bytes));
