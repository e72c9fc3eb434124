//! `pcid.d` files; see `fuzz::drivers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::drivers::run(data));
