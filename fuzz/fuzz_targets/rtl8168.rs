//! An RTL8168 that lies to its driver; see `fuzz::rtl8168`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rtl8168::run(data));
