//! A DHCP server that says anything; see `fuzz::dhcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::dhcp::run(data));
