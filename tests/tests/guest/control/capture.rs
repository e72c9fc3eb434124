//! Who looks on gets the frames of both directions.

use std::collections::BTreeMap;

use probe::sequence;

use super::{PATIENCE, Trial};
use crate::MAC;

/// What the guest sends: to 52:54:00:bb:bb:bb, padded to the shortest frame.
const SENT: &[u8] = b"RT\0\xbb\xbb\xbbRT\0\x124V\x88\xb5there it goes";

pub const SCRIPT: &str = r#"
    cat capture >/tmp/capture & watcher=$!
    until [ -s /tmp/capture ]; do usleep 10000; done
    before=$(counter rx_packets)
    printf 'RT\000\273\273\273RT\000\0224V\210\265there it goes' >frame
    echo capture
    until [ $(counter rx_packets) -gt $before ]; do usleep 10000; done
    usleep 100000
    kill $watcher
    tell captured od -An -v -tx1 /tmp/capture
"#;

/// Answers the frame.
pub fn serve(trial: &mut Trial) {
    trial.running.wait_for("capture\n", PATIENCE).unwrap();
    while trial.peer.receive(PATIENCE).unwrap().unwrap() != sent() {}
    trial.peer.send(&sequence::frame(MAC, 77)).unwrap();
}

fn sent() -> Vec<u8> {
    let mut frame = SENT.to_vec();
    frame.resize(60, 0);
    frame
}

pub fn check(said: &BTreeMap<&str, &str>) {
    let digits = said["captured"].split_whitespace();
    let bytes: Vec<_> = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(packets(&bytes), [(2, sent()), (1, sequence::frame(MAC, 77))]);
}

/// The direction and the bytes of each of pcapng's enhanced packet blocks.
fn packets(mut file: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    let mut packets = Vec::new();
    while !file.is_empty() {
        if word(file, 0) == 6 {
            let length = word(file, 20);
            let direction = word(file, 28 + length.next_multiple_of(4) + 4);
            packets.push((direction, file[28..28 + length].to_vec()));
        }
        file = &file[word(file, 4)..];
    }
    packets
}
