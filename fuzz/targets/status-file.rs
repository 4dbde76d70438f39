//! Tries the property `status-file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("status-file", bytes));
