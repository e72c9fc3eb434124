//! An 8254x that lies to its driver; see `fuzz::e1000`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::e1000::run(data));
