//! An 82599 that lies to its driver; see `fuzz::ixgbe`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::ixgbe::run(data));
