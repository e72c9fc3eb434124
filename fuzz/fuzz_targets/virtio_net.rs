//! A virtio_net that lies to its driver; see `fuzz::virtio_net`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::virtio_net::run(data));
