//! Tries the property `new-task`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("new-task", bytes));
