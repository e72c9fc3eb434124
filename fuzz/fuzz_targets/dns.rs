//! A name server that says anything; see `fuzz::dns`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::dns::run(data));
