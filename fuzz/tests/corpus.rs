//! The corpus, replayed without a fuzzer: what was once found stays mended.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(directory).expect("there is a corpus") {
        let path = entry.expect("the corpus can be listed").path();
        println!("{}", path.display());
        run(&fs::read(path).expect("the input can be read"));
        count += 1;
    }
    assert!(count > 0, "there is no input for {target}");
}

#[test]
fn frames() {
    replay("frames", fuzz::frames::run);
}

#[test]
fn ipv6() {
    replay("ipv6", fuzz::ipv6::run);
}

#[test]
fn dhcp() {
    replay("dhcp", fuzz::dhcp::run);
}

#[test]
fn dns() {
    replay("dns", fuzz::dns::run);
}

#[test]
fn fuse() {
    replay("fuse", fuzz::fuse::run);
}

#[test]
fn e1000() {
    replay("e1000", fuzz::e1000::run);
}

#[test]
fn e1000e() {
    replay("e1000e", fuzz::e1000e::run);
}

#[test]
fn igb() {
    replay("igb", fuzz::igb::run);
}

#[test]
fn ixgbe() {
    replay("ixgbe", fuzz::ixgbe::run);
}

#[test]
fn rtl8139() {
    replay("rtl8139", fuzz::rtl8139::run);
}

#[test]
fn rtl8168() {
    replay("rtl8168", fuzz::rtl8168::run);
}

#[test]
fn pcid() {
    replay("pcid", fuzz::pcid::run);
}

#[test]
fn drivers() {
    replay("drivers", fuzz::drivers::run);
}

#[test]
fn config() {
    replay("config", fuzz::config::run);
}

#[test]
fn virtio_net() {
    replay("virtio-net", fuzz::virtio_net::run);
}

#[test]
fn vmxnet3() {
    replay("vmxnet3", fuzz::vmxnet3::run);
}

#[test]
fn sockets() {
    replay("sockets", fuzz::sockets::run);
}

/// Requests in no order at all, the same each time.
#[test]
fn random_requests_to_sockets() {
    let mut number = 1_u64;
    for _ in 0..200 {
        let bytes = (0..4000).map(|_| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 56) as u8
        });
        fuzz::sockets::run(&bytes.collect::<Vec<_>>());
    }
}
