//! Segments that the device has joined: whole for who reads `vnet`, and segments again for who reads `frame`.

use models::packets::{of_each_kind, several, verdict};
use models::rig::Rig;
use models::wire::assert_segments;
use scheme::flag::{O_NONBLOCK, O_RDWR};

use crate::model::Card;

/// Bytes of data of a segment.
pub const SEGMENT: u16 = 1400;

/// Large packets over both versions of IP, with so many bytes of data.
pub fn large(data: usize) -> [Vec<u8>; 2] {
    let [tcp4, _, tcp6, _] = of_each_kind(Card::MAC, data);
    [tcp4, tcp6]
}

/// A reader of frames, and one of frames behind their headers.
pub fn open(rig: &mut Rig<Card>) -> [usize; 2] {
    let plain = rig.open_frames();
    [plain, rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens")]
}

/// A frame that is several segments, behind its header, comes from a machine beside this one.
pub fn arrive(rig: &mut Rig<Card>, joined: &[u8]) {
    rig.slot.with(|model, bus| model.arrive_joined(bus, joined));
    rig.settle();
}

/// All that waits for a reader of frames of any length.
pub fn read_all(rig: &mut Rig<Card>, id: usize) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| rig.read_up_to(id, 1 << 16).ok()).collect()
}

#[test]
fn they_are_read_whole_behind_a_header_and_as_segments_without() {
    let mut rig = Rig::new(Card::new());
    let [plain, described] = open(&mut rig);
    assert!(rig.cat("features").contains("rx-gro-hw on\n"));
    let mut packets = 0;
    for data in [1401, 10_000, 64_000] {
        for whole in large(data) {
            let joined = several(&whole, data, SEGMENT);
            arrive(&mut rig, &joined);
            assert_segments(&whole, SEGMENT.into(), &read_all(&mut rig, plain));
            // Its header says where the data begin, whatever the device's says of that.
            assert_eq!(read_all(&mut rig, described), [joined]);
            packets += data.div_ceil(SEGMENT.into());
        }
    }
    assert_eq!(rig.stat("rx_packets"), packets as u64);
    assert_eq!((rig.stat("rx_errors"), rig.stat("rx_length_errors")), (0, 0));
}

#[test]
fn they_are_not_joined_where_that_is_off() {
    let mut rig = Rig::new(Card::new());
    let [plain, described] = open(&mut rig);
    for (switch, count) in [("off", 8), ("on", 1)] {
        assert!(rig.echo("features", &format!("rx-gro-hw {switch}\n")).is_ok());
        rig.pass(std::time::Duration::from_secs(1)).expect("the device is there");
        for whole in large(10_000) {
            arrive(&mut rig, &several(&whole, 10_000, SEGMENT));
            assert_eq!(read_all(&mut rig, described).len(), count);
            let segments = read_all(&mut rig, plain);
            assert_segments(&whole, SEGMENT.into(), &segments);
            assert!(segments.iter().all(|segment| verdict(segment) == Some(true)));
        }
    }
}

#[test]
fn a_reader_that_closes_between_segments_leaves_nothing_behind() {
    let mut rig = Rig::new(Card::new());
    let [plain, described] = open(&mut rig);
    let [whole, _] = large(10_000);
    arrive(&mut rig, &several(&whole, 10_000, SEGMENT));
    assert_eq!(rig.read(plain).map(|segment| segment.len()), Ok(54 + usize::from(SEGMENT)));
    rig.close(plain);
    rig.close(described);
    rig.pass(std::time::Duration::from_secs(10)).expect("the device answers");
    assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
}
