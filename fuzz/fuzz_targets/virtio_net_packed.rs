//! A virtio_net with packed virtqueues that lies to its driver; see `fuzz::virtio_net_packed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::virtio_net_packed::run(data));
