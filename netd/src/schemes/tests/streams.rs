//! `events` and `pcap`: files without an end.

use scheme::errno::*;
use scheme::flag::{O_NONBLOCK, O_RDONLY, O_STAT};
use scheme::{EventFlags, SchemeSync};

use super::netcfg::{MAC, netcfg};
use super::*;
use crate::schemes::netcfg::Netcfg;
use crate::stack::InterfaceId;

const EVENTS: &str = "events";
const PCAP: &str = "ifaces/eth0/pcap";

impl Rig<Netcfg> {
    fn eth0(&self) -> InterfaceId {
        self.stack.borrow().network.find("eth0").unwrap()
    }

    /// What there is to read after the changes were noted; nothing if a read would wait.
    fn news(&mut self, id: usize) -> String {
        self.scheme.post_changes();
        match self.read(id, 4096) {
            Err(EAGAIN) => String::new(),
            text => String::from_utf8(text.unwrap()).unwrap(),
        }
    }

    fn is_ready(&mut self, id: usize) -> bool {
        let ready = self.scheme.fevent(id, EventFlags::EVENT_READ, &caller(0)).unwrap();
        ready.contains(EventFlags::EVENT_READ)
    }
}

#[test]
fn events_are_told_as_they_happen() {
    let mut rig = netcfg(None);
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    rig.uid = 1000;
    let id = rig.open_with(EVENTS, O_RDONLY).unwrap();
    assert_eq!(rig.news(id), "", "what was before is no event");
    assert!(!rig.is_ready(id));

    stack.borrow_mut().link_up(eth0, MAC, 1400);
    rig.scheme.post_changes();
    assert!(rig.is_ready(id));
    assert_eq!(rig.news(id), "link eth0 up\nmac eth0 52:54:00:12:34:56\nmtu eth0 1400\n");
    {
        let network = &mut stack.borrow_mut().network;
        network.add_address(eth0, "10.0.2.15/24".parse().unwrap());
        network.add_route(eth0, "0.0.0.0/0".parse().unwrap(), "10.0.2.2".parse().ok(), None);
    }
    stack.borrow_mut().revision += 1;
    let expected = "address add eth0 10.0.2.15/24\nroute add 10.0.2.0/24  dev eth0 src 10.0.2.15\n\
                    route add default via 10.0.2.2 dev eth0 src 10.0.2.15\n";
    assert_eq!(rig.news(id), expected);
    stack.borrow_mut().set_up(eth0, false);
    assert_eq!(rig.news(id), "state eth0 down\n");
    stack.borrow_mut().link_down(eth0);
    assert_eq!(rig.news(id), "link eth0 down\n");
    assert_eq!(rig.open_with(EVENTS, O_RDWR), Err(EACCES));
}

#[test]
fn a_small_buffer_gets_the_events_in_pieces() {
    let mut rig = netcfg(None);
    let id = rig.open_with(EVENTS, O_RDONLY | O_NONBLOCK).unwrap();
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    stack.borrow_mut().set_up(eth0, false);
    rig.scheme.post_changes();
    let mut text = Vec::new();
    while let Ok(piece) = rig.read(id, 3) {
        assert!(piece.len() <= 3);
        text.extend(piece);
    }
    assert_eq!(text, b"state eth0 down\n");
}

#[test]
fn a_slow_reader_of_events_is_told_what_it_lost() {
    let mut rig = netcfg(None);
    let id = rig.open_with(EVENTS, O_RDONLY).unwrap();
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    for turn in 0..1030 {
        stack.borrow_mut().set_up(eth0, turn % 2 == 1);
        rig.scheme.post_changes();
    }
    let text = rig.news(id);
    assert!(text.starts_with("lost 6\nstate eth0 down\nstate eth0 up\n"), "{text}");
}

fn arp() -> Vec<u8> {
    let mut frame = vec![0xff; 60];
    frame[6..14].copy_from_slice(&[0x52, 0x55, 0, 0, 0, 1, 0x08, 0x06]);
    frame
}

/// The blocks of pcapng: their types and bodies.
fn blocks(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |bytes: &[u8], at: usize| u32::from_ne_bytes(*bytes[at..].first_chunk().unwrap());
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let length = word(bytes, 4) as usize;
        assert_eq!(word(bytes, length - 4) as usize, length);
        blocks.push((word(bytes, 0), bytes[8..length - 4].to_vec()));
        bytes = &bytes[length..];
    }
    blocks
}

#[test]
fn a_capture_is_pcapng() {
    let mut rig = netcfg(Some(MAC));
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    let id = rig.open_with(PCAP, O_RDONLY).unwrap();
    let header = rig.read(id, 4096).unwrap();
    assert_eq!(blocks(&header).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1]);
    assert_eq!(rig.read(id, 4096), Err(EAGAIN));
    assert!(!rig.is_ready(id));

    stack.borrow_mut().network.now = Instant::from_secs(5);
    stack.borrow_mut().receive(eth0, &arp());
    assert!(rig.is_ready(id));
    let packet = blocks(&rig.read(id, 4096).unwrap()).remove(0);
    assert_eq!(packet.0, 6);
    let time = u64::from(u32::from_ne_bytes(*packet.1[8..].first_chunk().unwrap()));
    assert_eq!(time, 5_000_000, "microseconds after the epoch");
    assert_eq!(packet.1[20..80], arp());
    rig.close(id);
    assert!(stack.borrow().network.interface(eth0).unwrap().captures.get(0).is_none());
}

#[test]
fn a_capture_s_filter_is_a_line() {
    let mut rig = netcfg(Some(MAC));
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    let id = rig.open_with(PCAP, O_RDWR).unwrap();
    rig.read(id, 4096).unwrap();
    assert_eq!(rig.write(id, b"udp po"), Ok(6));
    assert_eq!(rig.write(id, b"rt 53\n"), Ok(6));
    stack.borrow_mut().receive(eth0, &arp());
    assert_eq!(rig.read(id, 4096), Err(EAGAIN));
    assert_eq!(rig.write(id, b"prot 53\n"), Err(EINVAL));
    assert_eq!(rig.write(id, &[b' '; 2000]), Err(ENOSPC));
    assert_eq!(rig.write(id, b"not udp\n"), Ok(8));
    stack.borrow_mut().receive(eth0, &arp());
    assert_eq!(blocks(&rig.read(id, 4096).unwrap()).len(), 1);
}

#[test]
fn lost_packets_are_told_in_the_capture() {
    let mut rig = netcfg(Some(MAC));
    let (stack, eth0) = (rig.stack.clone(), rig.eth0());
    let id = rig.open_with(PCAP, O_RDONLY).unwrap();
    let frame = vec![0x02; 9000];
    for _ in 0..500 {
        stack.borrow_mut().receive(eth0, &frame);
    }
    let mut bytes = Vec::new();
    while let Ok(piece) = rig.read(id, 65_536) {
        bytes.extend(piece);
    }
    let blocks = blocks(&bytes);
    let packets = blocks.iter().filter(|(kind, _)| *kind == 6).count();
    let (kind, statistics) = blocks.last().unwrap();
    assert_eq!(*kind, 5);
    let lost = u64::from_ne_bytes(*statistics[16..].first_chunk().unwrap());
    assert!(lost > 0);
    assert_eq!(packets as u64 + lost, 500);
}

#[test]
fn packets_are_for_root_alone() {
    let mut rig = netcfg(Some(MAC));
    rig.uid = 1000;
    assert_eq!(rig.open_with(PCAP, O_RDONLY), Err(EACCES));
    let id = rig.open_with(PCAP, O_STAT).unwrap();
    assert_eq!(rig.mode(id) & 0o777, 0o600);
    assert_eq!(rig.read(id, 4096), Ok(Vec::new()));
    rig.uid = 0;
    let ids: Vec<_> = (0..8).map(|_| rig.open_with(PCAP, O_RDONLY).unwrap()).collect();
    assert_eq!(rig.open_with(PCAP, O_RDONLY), Err(EBUSY));
    rig.close(ids[0]);
    assert!(rig.open_with(PCAP, O_RDONLY).is_ok());
}

#[test]
fn the_loopback_has_packets_without_ethernet() {
    let mut rig = netcfg(None);
    let id = rig.open_with("ifaces/lo/pcap", O_RDONLY).unwrap();
    let header = rig.read(id, 4096).unwrap();
    assert_eq!(blocks(&header)[1].1[..2], 101_u16.to_ne_bytes());
}
