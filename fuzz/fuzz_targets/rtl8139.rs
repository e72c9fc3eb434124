//! An RTL8139C+ that lies to its driver; see `fuzz::rtl8139`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rtl8139::run(data));
