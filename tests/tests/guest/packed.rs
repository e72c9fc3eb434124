//! Packed virtqueues, which QEMU's virtio device has where it is told so: what the ring is for, and no more, since all else is
//! the same.

use testbed::guest::Guest;
use testbed::nic::Nic;

use crate::nics::Card;
use crate::{flood, lease, lengths};

/// Its claims are those of the device with split virtqueues.
const CARD: Card =
    Card { name: "virtio_net", model: "virtio-net,packed=on", interrupt: "vfio-msix", only: "" };

/// VIRTIO_F_RING_PACKED, of the upper half of the features.
const RING_PACKED: u32 = 1 << (34 - 32);

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn they_are_what_the_driver_takes() {
    let script = "grep driver_feature_1 /scheme/network.*/registers";
    let finished = Guest::default().nic(Nic::user(CARD.model)).without_netd().run(script).unwrap();
    let (_, features) = finished.success().unwrap().trim().split_once(" 0x").unwrap();
    assert_ne!(u32::from_str_radix(features, 16).unwrap() & RING_PACKED, 0, "{features}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn frames_of_every_length_come_and_go() {
    lengths::frames_come_and_go(CARD);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_flood_in_arrives_in_order_or_is_counted() {
    flood::a_flood_arrives(CARD);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_flood_out_leaves_in_order_or_is_counted() {
    flood::a_flood_leaves(CARD);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn large_files_come_and_go_whole() {
    lease::large_files_pass(CARD);
}
