//! Tries the property `set-key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("set-key", bytes));
