//! Frames as files: a NIC's address, its nodes, and frames out and in.

use std::time::Duration;

use probe::sequence;
use testbed::guest::Guest;
use testbed::peer::Peer;
use testbed::station;

use crate::nics::Card;
use crate::{MAC, MAC_TEXT};

/// A frame of the local experimental type, in the escapes of `printf`.
pub fn escaped(frame: &[u8]) -> String {
    frame.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

mod a_frame_written_to_the_file_leaves_byte_for_byte {
    crate::nics::on_every_nic!(super::a_frame_leaves);
}

fn a_frame_leaves(card: Card) {
    let model = card.model;
    let peer = Peer::new().unwrap();
    let frame = sequence::frame(station::MAC, 5);
    let script = format!(
        "cd /scheme/network.*\ncat address\nls\nprintf '{}' >frame\nuntil grep -q '^tx_packets [1-9]' stats; do usleep 10000; done\n",
        escaped(&frame)
    );
    let guest = card.guest().nic(peer.nic(&format!("{model},mac={MAC_TEXT}"))).without_netd().keep_frames();
    let finished = guest.run(&script).unwrap();

    let nodes = "address\ncapture\ncoalesce\neeprom\nfeatures\nfilter\nframe\nidentify\nlink\nmac\nmedia\nmtu\nmtu_limits\npower\nregisters\nrings\nrss\nselftest\nstats\nvnet\nwake\n";
    assert_eq!(finished.success().unwrap(), format!("{MAC_TEXT}\n{nodes}"));
    assert_eq!(finished.frames().unwrap(), std::slice::from_ref(&frame), "in QEMU's capture");
    assert_eq!(peer.receive(Duration::from_secs(1)).unwrap(), Some(frame), "at the host's end");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn two_cats_read_every_frame_while_netd_works() {
    let peer = Peer::new().unwrap();
    let script = "
        echo 192.168.7.2/24 >/scheme/netcfg/ifaces/eth0/addr/set
        cd /scheme/network.*
        cat frame >/tmp/one & one=$!
        cat frame >/tmp/two & two=$!
        until ls -l /proc/$one/fd 2>&- | grep -q frame && ls -l /proc/$two/fd 2>&- | grep -q frame; do usleep 10000; done
        echo ready
        until [ -e /tmp/enough ]; do
            usleep 100000
            [ \"$(wc -c </tmp/one)\" -ge 40000 ] && [ \"$(wc -c </tmp/two)\" -ge 40000 ] && touch /tmp/enough
        done
        echo enough
        sleep 3
        kill $one $two
        cmp /tmp/one /tmp/two && cat /tmp/one >&2
    ";
    let guest = Guest::default().nic(peer.nic(&format!("e1000,mac={MAC_TEXT}")));
    let mut running = guest.start(script).unwrap();
    running.wait_for("ready", Duration::from_secs(60)).unwrap();

    let frames: Vec<_> = (0..100).map(|number| sequence::frame(MAC, number)).collect();
    frames.iter().for_each(|frame| peer.send(frame).unwrap());
    running.wait_for("enough", Duration::from_secs(30)).unwrap();
    assert!(station::ping(&peer, MAC, Duration::from_secs(10)).unwrap(), "netd answers meanwhile");

    let finished = running.finish().unwrap();
    finished.success().unwrap();
    assert!(finished.stderr_bytes().starts_with(&frames.concat()), "every frame, once, in order");
}
