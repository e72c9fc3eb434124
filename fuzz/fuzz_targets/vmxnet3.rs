//! A vmxnet3 that lies to its driver; see `fuzz::vmxnet3`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::vmxnet3::run(data));
