//! Captures of the frames that come and go.

use scheme::errno::{EAGAIN, EBUSY};
use scheme::flag::{O_NONBLOCK, O_RDONLY};

use crate::model::Card;
use models::rig::{Rig, frame};

/// pcapng's blocks (draft-ietf-opsawg-pcapng, section 11.1).
const ENHANCED_PACKET: u32 = 6;
const INTERFACE_STATISTICS: u32 = 5;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(*bytes[at..].first_chunk().expect("the block is longer"))
}

/// The blocks' types and bodies.
fn blocks(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let length = word(bytes, 4) as usize;
        blocks.push((word(bytes, 0), bytes[8..length - 4].to_vec()));
        bytes = &bytes[length..];
    }
    blocks
}

/// A frame, and whether it was sent: `epb_flags` is the first option behind its bytes.
fn packet(body: &[u8]) -> (bool, Vec<u8>) {
    let length = word(body, 12) as usize;
    let flags = word(body, 20 + length.next_multiple_of(4) + 4);
    (flags == 2, body[20..20 + length].to_vec())
}

#[test]
fn frames_of_both_directions_are_captured_from_the_open_on() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let (received, sent) = (frame(Card::MAC, 101, 1), frame([2, 0, 0, 0, 0, 9], 202, 2));
    rig.arrive(&received);
    rig.settle();
    let capture = rig.open("capture", O_RDONLY | O_NONBLOCK).expect("`capture` opens");
    let header = blocks(&rig.read(capture).expect("there is a header"));
    assert_eq!(header.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1]);
    assert_eq!(rig.read(capture), Err(EAGAIN));

    rig.arrive(&received);
    rig.settle();
    assert!(!rig.ready(capture).is_empty());
    assert_eq!(rig.write(id, &sent), Ok(202));
    let packets = blocks(&rig.read(capture).expect("frames have passed"));
    let packets: Vec<_> = packets.iter().map(|(_, body)| packet(body)).collect();
    assert_eq!(packets, [(false, received), (true, sent)]);
}

#[test]
fn who_looks_on_too_slowly_loses_frames_and_is_told_how_many() {
    const FRAMES: usize = 3000;
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let capture = rig.open("capture", O_RDONLY | O_NONBLOCK).expect("`capture` opens");
    for seed in 0..FRAMES {
        assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 1514, seed)), Ok(1514));
    }
    let blocks = blocks(&rig.read_all(capture).concat());
    let packets = blocks.iter().filter(|(kind, _)| *kind == ENHANCED_PACKET).count();
    let (kind, statistics) = blocks.last().expect("there are blocks");
    assert_eq!(*kind, INTERFACE_STATISTICS);
    let lost = word(statistics, 16) as usize;
    assert!(lost > 0 && packets + lost == FRAMES, "{packets} and {lost} of {FRAMES}");
}

#[test]
fn few_can_look_on_at_a_time() {
    let mut rig = Rig::new(Card::new());
    let captures: Vec<_> = std::iter::from_fn(|| rig.open("capture", O_RDONLY).ok()).collect();
    assert_eq!(rig.open("capture", O_RDONLY), Err(EBUSY));
    rig.close(captures[0]);
    assert!(rig.open("capture", O_RDONLY).is_ok());
}
