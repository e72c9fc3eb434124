//! Raw frames through a driver's file, either way.

use std::time::{Duration, Instant};

use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;
use testbed::station::GUEST;
use testbed::station::service::Service;

use crate::{SCHEME, e1000};

/// The destination, source and type of a frame to all that no stack takes for its own.
const HEADER: &[u8] = b"\xff\xff\xff\xff\xff\xff\x52\x54\x00\xbb\xbb\xbb\x88\xb5";

/// How long the guest may take to show a frame, and how often it is sent meanwhile.
const LIMIT: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_millis(500);

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn a_frame_that_echo_writes_leaves_byte_for_byte() {
    let frame = "to all and from me: a frame of sixty bytes and a few more to see";
    let script = format!("echo '{frame}' >{SCHEME}/frame\nsleep 1\n");
    let finished = Guest::with(Parts::All).unwrap().nic(e1000()).keep_frames().run(&script).unwrap();
    finished.success().unwrap();
    let sent = format!("{frame}\n").into_bytes();
    assert!(finished.frames().unwrap().contains(&sent), "the frame did not leave as it is");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn a_frame_from_the_host_is_read_by_cat_byte_for_byte() {
    let station = Service::start(GUEST).unwrap();
    let guest = Guest::with(Parts::All).unwrap().nic(station.nic("e1000"));
    let mut running = guest.start(&format!("echo listening\ncat {SCHEME}/frame\n")).unwrap();
    running.wait_for("listening", LIMIT).unwrap();
    // Every byte that there is, and as much as a frame holds.
    for length in [60, 300, 1514] {
        let frame: Vec<u8> = HEADER.iter().copied().chain((0..=255).cycle()).take(length).collect();
        let deadline = Instant::now() + LIMIT;
        // cat may not have opened the file yet.
        while running.wait_for_bytes(&frame, AGAIN).is_err() {
            assert!(Instant::now() < deadline, "cat has not shown a frame of {length} bytes");
            station.send(&frame).unwrap();
        }
    }
}
