//! Tries the property `status-edit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("status-edit", bytes));
