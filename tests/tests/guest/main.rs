//! The integration tests, each a story in a guest of its own. They need QEMU and more, which `./x test guest` sees
//! to: a plain `cargo test` tells them as ignored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what must not be ends the test"
)]

mod bad_input;
mod claims;
mod command;
mod configuration;
mod control;
mod facilities;
mod flood;
mod interfaces;
mod joined;
mod lease;
mod lengths;
mod linux_peer;
mod netem;
mod nics;
mod offloads;
mod packed;
mod programs;
mod queues;
mod raw_frames;
mod restart;
mod unfinished;

/// The guest's address, where a test gives it one.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
/// The same as text.
const MAC_TEXT: &str = "52:54:00:12:34:56";

/// Waits, in the guest, until netd has a lease; the script's limit bounds it.
const WAIT_FOR_LEASE: &str =
    "until grep -q bound /scheme/netcfg/ifaces/eth0/dhcp/state; do usleep 50000; done";
