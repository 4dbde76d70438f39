//! Tries the property `event-file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("event-file", bytes));
