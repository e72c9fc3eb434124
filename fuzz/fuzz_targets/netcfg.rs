//! Requests to the scheme `netcfg`; see `fuzz::netcfg`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::netcfg::run(data));
