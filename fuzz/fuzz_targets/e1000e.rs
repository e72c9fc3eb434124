//! An 82574 that lies to its driver; see `fuzz::e1000e`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::e1000e::run(data));
