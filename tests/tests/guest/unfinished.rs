//! QEMU's virtual devices leave frames unfinished, and take unfinished ones, where the other end is a tap interface: what a
//! device does with the checksums and segments of the others is left to the host's kernel.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket};
use models::packets::{damaged, of_each_kind, several, unfinished, verdict};
use models::wire::assert_segments;
use scheme::checksum::complete;
use scheme::vnet::{Checksum, Header, SIZE};
use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, ADDRESS_V6, Bridge, GUEST, GUEST_V6};
use testbed::station;

use crate::raw_frames::escaped;
use crate::{MAC, MAC_TEXT};

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the host's kernel waits for an answer that does not come: less than until it asks again.
const CALL: Duration = Duration::from_millis(100);

/// Bytes of data of a frame that is several segments, and of each of those but the last.
const DATA: usize = 9_999;
const SEGMENT: u16 = 1000;

/// Features that a device has there.
const FEATURES: [&str; 4] =
    ["rx-checksum", "tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation"];

mod frames_are_finished_by_others {
    #[test]
    #[ignore = "boots a guest: ./x test guest"]
    fn virtio_net() {
        super::exchange("virtio-net");
    }

    #[test]
    #[ignore = "boots a guest: ./x test guest"]
    fn vmxnet3() {
        super::exchange("vmxnet3");
    }
}

fn exchange(model: &str) {
    let bridge = Bridge::new().unwrap();
    let whole = of_each_kind(station::MAC, 333);
    let [tcp4, _, tcp6, _] = of_each_kind(station::MAC, DATA);
    let large = [tcp4, tcp6];
    let file = |(number, frame): (usize, Vec<u8>)| format!("printf '{}' >/tmp/{number}\n", escaped(&frame));
    let written = whole.iter().map(|frame| unfinished(frame));
    let written = written.chain(large.iter().map(|frame| several(frame, DATA, SEGMENT)));
    let files: String = written.enumerate().map(file).collect();
    let script = format!(
        "
        {files}
        cd /scheme/network.*
        exec 3<>vnet
        until grep -q 'state up' link; do usleep 10000; done
        for file in $(seq 0 5); do dd if=/tmp/$file bs=65536 2>&- >&3; done
        cat features
        echo listening
        for frame in $(seq 8); do dd bs=65536 count=1 <&3 2>&-; done >&2
        "
    );
    let guest = Guest::default().newer().nic(bridge.nic(&format!("{model},mac={MAC_TEXT}")));
    let mut running = guest.without_netd().start(&script).unwrap();
    let receive = || bridge.receive(station::MAC, PATIENCE).unwrap().expect("a frame comes");
    for whole in &whole {
        assert_eq!(&receive(), whole);
    }
    for whole in &large {
        let sent: Vec<_> = (0..DATA.div_ceil(SEGMENT.into())).map(|_| receive()).collect();
        assert_segments(whole, SEGMENT.into(), &sent);
    }
    running.wait_for("listening", PATIENCE).unwrap();
    let bad = of_each_kind(MAC, 333).map(|frame| damaged(&frame));
    bad.iter().for_each(|frame| bridge.send(frame).unwrap());
    bridge.namespace().enter(speak).unwrap().unwrap();

    let finished = running.finish().unwrap();
    let said = finished.success().unwrap();
    for feature in FEATURES {
        assert!(said.contains(&format!("{feature} on\n")), "{feature} in {said}");
    }
    let received = frames(finished.stderr_bytes());
    let (first, last) = received.split_at(bad.len());
    assert_eq!(first, bad.map(|frame| (Checksum::Unknown, frame)));
    assert_eq!(last.len(), 4);
    for (told, frame) in last {
        let mut frame = frame.clone();
        match *told {
            Checksum::Good => (),
            Checksum::Partial { start, offset } => complete(&mut frame, start, offset),
            told => panic!("{told:?} of what the host's kernel sent: {frame:x?}"),
        }
        assert_eq!(verdict(&frame), Some(true), "{told:?} of {frame:x?}");
    }
}

/// Has the host's kernel send the guest a packet of each kind, whose checksum it leaves to be done.
fn speak() -> io::Result<()> {
    for [own, guest] in [[ADDRESS.to_string(), GUEST.to_string()], [ADDRESS_V6.into(), GUEST_V6.into()]] {
        let [own, guest] = [own, guest].map(|address| address.parse().map_err(io::Error::other));
        let (own, guest) = (SocketAddr::new(own?, 0), SocketAddr::new(guest?, 53));
        UdpSocket::bind(own)?.send_to(&[7; 333], guest)?;
        match TcpStream::connect_timeout(&guest, CALL) {
            Err(error) if error.kind() == ErrorKind::TimedOut => (),
            Err(error) => return Err(error),
            Ok(_) => return Err(io::Error::other("somebody answers")),
        }
    }
    Ok(())
}

/// The frames that were read one after another from `vnet`, each with what is told of its checksum.
fn frames(mut rest: &[u8]) -> Vec<(Checksum, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((header, packet)) = rest.split_first_chunk::<SIZE>() {
        let length = match SlicedPacket::from_ethernet(packet).unwrap().net {
            Some(NetSlice::Ipv4(ip)) => usize::from(ip.header().total_len()),
            Some(NetSlice::Ipv6(ip)) => 40 + usize::from(ip.header().payload_length()),
            other => panic!("{other:?} in {packet:x?}"),
        };
        let (frame, next) = packet.split_at(14 + length);
        frames.push((Header::parse(header).unwrap().checksum, frame.to_vec()));
        rest = next;
    }
    frames
}
