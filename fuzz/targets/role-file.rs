//! Tries the property `role-file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("role-file", bytes));
