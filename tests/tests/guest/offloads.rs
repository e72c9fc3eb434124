//! What the device does for its driver, as the driver's features.toml claims.

use std::time::Duration;

use scheme::vnet::{Checksum, Header};
use testbed::features;
use testbed::peer::Peer;
use testbed::station;

use crate::nics::Card;
use crate::raw_frames::escaped;
use crate::{MAC, MAC_TEXT};
use models::packets::{damaged, of_each_kind, several, unfinished, verdict};
use models::wire::assert_segments;

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

mod checksums_are_the_devices_work {
    crate::nics::on_every_nic!(super::checksums);
}

fn checksums(card: Card) {
    let peer = Peer::new().unwrap();
    let whole = of_each_kind(station::MAC, 333);
    let write = |frame: &Vec<u8>| format!("printf '{}' >&3\n", escaped(&unfinished(frame)));
    let written: String = whole.iter().map(write).collect();
    let script = format!(
        r#"
        cd /scheme/network.*
        exec 3<>vnet
        {written}
        grep checksum features
        echo listening
        for frame in $(seq 8); do dd bs=65536 count=1 <&3 2>&-; done >&2
        "#
    );
    let nic = peer.nic(&format!("{},mac={MAC_TEXT}", card.model));
    let mut running = card.guest().nic(nic).without_netd().start(&script).unwrap();
    for whole in &whole {
        let sent = peer.receive(PATIENCE).unwrap().unwrap();
        assert_eq!(verdict(&sent), Some(true), "{sent:x?}");
        assert_eq!(&sent, whole);
    }
    running.wait_for("listening", PATIENCE).unwrap();
    let good = of_each_kind(MAC, 333);
    let bad = good.clone().map(|frame| damaged(&frame));
    good.iter().chain(&bad).for_each(|frame| peer.send(frame).unwrap());

    let finished = running.finish().unwrap();
    let said = finished.success().unwrap();
    let claims = features::of_device(card.name).unwrap();
    let told = |checksum| Header { checksum, ..Header::default() }.bytes();
    let of_good = if claims.does("rx-checksum") { Checksum::Good } else { Checksum::Unknown };
    let expected =
        |frames: [Vec<u8>; 4], checksum| frames.map(|frame| [&told(checksum)[..], &frame].concat());
    let mut expected = [expected(good, of_good), expected(bad, Checksum::Unknown)].concat();
    let mut rest = finished.stderr_bytes();
    // Several queues keep the order within a flow alone.
    while let Some(at) = expected.iter().position(|frame| rest.starts_with(frame)) {
        rest = &rest[expected.swap_remove(at).len()..];
    }
    assert_eq!(
        (rest, expected),
        (&[][..], Vec::<Vec<u8>>::new()),
        "what was read and not expected, and the other way"
    );
    // Over which version of IP is for the device to say.
    for (row, feature) in [("rx-checksum", "rx-checksum on"), ("tx-checksum", "tx-checksum-ip")] {
        let is_told = said.lines().any(|line| line.starts_with(feature));
        assert!(is_told || !claims.does(row), "{feature} in {said}");
    }
}

mod segments_are_the_devices_work {
    crate::nics::on_every_nic!(super::segments);
}

/// Bytes of data of a frame that is several segments, and of each of those but the last.
const DATA: usize = 9_999;
const SEGMENT: u16 = 1000;

fn segments(card: Card) {
    if !card.makes_segments() {
        return println!("skipped: it needs QEMU 8 or newer");
    }
    let peer = Peer::new().unwrap();
    let [tcp4, _, tcp6, _] = of_each_kind(station::MAC, DATA);
    let whole = [tcp4, tcp6];
    let [first, second] = whole.each_ref().map(|whole| escaped(&several(whole, DATA, SEGMENT)));
    let script = format!(
        "
        cd /scheme/network.*
        exec 3<>vnet
        printf '{first}' >/tmp/4
        printf '{second}' >/tmp/6
        send() {{ for file in 4 6; do dd if=/tmp/$file bs=65536 2>&- >&3; done; }}
        grep segmentation features
        send
        for feature in $(sed -n 's/^\\(tx-tcp.*\\) on/\\1/p' features); do echo $feature off >features; done
        send
        until grep -q '^tx_packets 40$' stats; do usleep 10000; done
        "
    );
    let nic = peer.nic(&format!("{},mac={MAC_TEXT}", card.model));
    let running = card.guest().newer().nic(nic).without_netd().start(&script).unwrap();
    for whole in whole.iter().chain(&whole) {
        let count = DATA.div_ceil(SEGMENT.into());
        let sent = (0..count).map(|_| peer.receive(PATIENCE).unwrap().expect("a segment comes"));
        assert_segments(whole, SEGMENT.into(), &sent.collect::<Vec<_>>());
    }
    let finished = running.finish().unwrap();
    let by_device = features::of_device(card.name).unwrap().does("tso");
    let said = finished.success().unwrap();
    assert_eq!(said.contains("tx-tcp-segmentation on\n"), by_device, "{said}");
}
