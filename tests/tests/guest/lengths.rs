//! Frames of every length that a device takes, each way, and while its MTU changes.

use std::time::Duration;

use probe::sequence::{self, Tally};
use testbed::features;
use testbed::guest::Running;
use testbed::peer::Peer;

use crate::nics::Card;
use crate::{MAC, MAC_TEXT};

/// As many frames as are under way at a time: no device loses any of these.
const WINDOW: usize = 16;

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

mod frames_of_every_length_come_and_go {
    crate::nics::on_every_nic!(super::frames_come_and_go);
}

pub fn frames_come_and_go(card: Card) {
    let jumbo = features::of_device(card.name).unwrap().does("jumbo");
    let longest = if jumbo { 9014 } else { 1514 };
    let frames: Vec<_> =
        (60..=longest).zip(0..).map(|(length, number)| sequence::frame_of(length, MAC, number)).collect();
    let script = format!(
        r#"
        cd /scheme/network.*
        scheme=$(basename $PWD)
        echo {mtu} >mtu
        exec 3<frame
        until grep -q 'state up' link; do usleep 10000; done
        probe return-frames $scheme {count}
        cat frame >/tmp/heard & reader=$!
        probe return-frames $scheme 1000000 >/tmp/returning & returning=$!
        until grep -q listening /tmp/returning; do usleep 10000; done
        echo traffic
        for change in $(seq 10); do for mtu in 600 {mtu}; do echo $mtu >mtu; usleep 20000; done; done
        echo calm
        until grep -q 'that is all' /tmp/heard; do usleep 10000; done
        kill $reader $returning
        grep -E 'tx_timeout|device_failures' stats
        "#,
        mtu = longest - 14,
        count = frames.len(),
    );
    let peer = Peer::new().unwrap();
    let nic = peer.nic(&format!("{},mac={MAC_TEXT}", card.model));
    let mut running = card.guest().nic(nic).without_netd().limit(200).start(&script).unwrap();
    running.wait_for("listening\n", PATIENCE).unwrap();
    for some in frames.chunks(WINDOW) {
        there_and_back(&peer, some);
    }

    running.wait_for("traffic\n", PATIENCE).unwrap();
    what_comes_back_is_intact(&peer, &mut running);
    let last = frames.last().unwrap();
    peer.send(last).unwrap();
    while peer.receive(PATIENCE).unwrap().expect("the longest frame comes back") != *last {}
    there_and_back(&peer, &frames[..WINDOW]);
    peer.send(&[&MAC[..], &MAC, b"\x88\xb6that is all", &[0; 60]].concat()).unwrap();
    let said = running.finish().unwrap();
    let wanted = "listening\ntraffic\ncalm\ntx_timeout 0\ndevice_failures 0\n";
    assert_eq!(said.success().unwrap(), wanted);
}

/// Sends the frames, which come back byte for byte.
fn there_and_back(peer: &Peer, frames: &[Vec<u8>]) {
    frames.iter().for_each(|frame| peer.send(frame).unwrap());
    for frame in frames {
        let back = peer.receive(PATIENCE).unwrap().unwrap_or_default();
        assert!(back == *frame, "{} bytes went there, others back: {back:x?}", frame.len());
    }
}

/// Sends frames that every MTU allows, or a few at least, until the guest is calm: some are lost when the device starts
/// anew, but none is damaged, and their order stays.
fn what_comes_back_is_intact(peer: &Peer, running: &mut Running) {
    let mut tally = Tally::default();
    let mut sent = 0;
    while running.wait_for("calm\n", Duration::ZERO).is_err() {
        for _ in 0..WINDOW {
            peer.send(&sequence::frame_of(60 + sent as usize % 500, MAC, sent)).unwrap();
            sent += 1;
        }
        while let Some(frame) = peer.receive(Duration::from_millis(50)).unwrap() {
            tally.add(&frame);
        }
    }
    assert_eq!((tally.damaged, tally.disordered), (0, 0), "of {sent} frames");
    assert!(tally.received > sent / 2, "{} of {sent} frames came back", tally.received);
}
