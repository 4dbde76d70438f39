//! Tries the property `milestone-record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("milestone-record", bytes));
