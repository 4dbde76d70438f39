//! Tries the property `task-file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("task-file", bytes));
