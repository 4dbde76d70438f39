//! Tries the property `front-matter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orch_fuzz::check("front-matter", bytes));
