//! Tries the property `task-body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("task-body", bytes));
