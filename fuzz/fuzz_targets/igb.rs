//! An 82576 that lies to its driver; see `fuzz::igb`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::igb::run(data));
