//! What the device does for its driver, as the driver's features.toml claims.

use std::time::Duration;

use scheme::vnet::{Checksum, Header, SIZE};
use testbed::features;
use testbed::peer::Peer;
use testbed::station;

use crate::nics::Card;
use crate::packets::{damaged, of_each_kind, unfinished, verdict};
use crate::raw_frames::escaped;
use crate::{MAC, MAC_TEXT};

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
    let mut rest = finished.stderr_bytes();
    for (frames, checksum) in [(good, of_good), (bad, Checksum::Unknown)] {
        for frame in frames {
            let (read, more) = rest.split_at(SIZE + frame.len());
            assert_eq!(read, [&told(checksum)[..], &frame].concat());
            rest = more;
        }
    }
    for (row, feature) in [("rx-checksum", "rx-checksum on"), ("tx-checksum", "tx-checksum-ip-generic on")] {
        assert!(!claims.does(row) || said.contains(feature), "{feature} in {said}");
    }
}
