//! IPv6 and fragments into the stack; see `fuzz::ipv6`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::ipv6::run(data));
