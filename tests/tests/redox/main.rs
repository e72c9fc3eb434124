//! The integration tests in Redox itself. They need an image of it, which `./x redox test` is told: a plain
//! `cargo test` tells them as ignored.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test, what must not be ends the test")]

mod boot;
mod configuration;
mod deaths;
mod drivers;
mod frames;
mod network;
mod programs;
mod sockets;

use testbed::nic::Nic;

/// Waits until netd, or stock's dhcpd, has had time for a lease. There may be no shell, so no loop.
const WAIT_FOR_LEASE: &str = "sleep 5";

/// The first network device's place and driver.
const SCHEME: &str = "/scheme/network.pci-0000-00-03.0_e1000";

fn e1000() -> Nic {
    Nic::user("e1000,mac=52:54:00:12:34:56")
}
