//! The kernel's requests to a scheme; see `fuzz::fuse`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fuse::run(data));
