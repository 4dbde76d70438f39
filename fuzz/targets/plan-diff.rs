//! Tries the property `plan-diff`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("plan-diff", bytes));
