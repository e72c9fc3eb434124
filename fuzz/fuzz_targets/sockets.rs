//! Requests to the socket schemes; see `fuzz::sockets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::sockets::run(data));
