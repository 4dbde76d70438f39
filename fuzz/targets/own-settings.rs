//! Tries the property `own-settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("own-settings", bytes));
