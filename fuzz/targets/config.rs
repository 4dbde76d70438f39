//! Tries the property `config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("config", bytes));
