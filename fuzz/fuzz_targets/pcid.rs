//! pcid's answers to a driver; see `fuzz::pcid`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::pcid::run(data));
