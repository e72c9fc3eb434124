//! Frames that are several segments of TCP are cut by the device, and by the driver where the device does not.

use etherparse::PacketBuilder;
use nic::OffloadLimits;
use nic::frame::MINIMUM;
use proptest::prelude::*;
use scheme::errno::EINVAL;
use scheme::flag::{O_NONBLOCK, O_RDWR};
use scheme::vnet::{Header, LONGEST, SIZE, Segments};

use crate::model::Card;
use models::packets::several;
use models::rig::Rig;
use models::wire::assert_segments;

const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// More than the options of a SYN: what is sent with data.
const MOST_OPTIONS: usize = 40;

/// What a frame of several segments is.
#[derive(Clone, Debug)]
struct Large {
    is_ipv6: bool,
    number: u32,
    /// FIN, PSH, CWR.
    flags: [bool; 3],
    /// TCP's options, in words of NOPs.
    options: usize,
    length: usize,
    size: u16,
}

fn large() -> impl Strategy<Value = Large> {
    let sizes = (536u16..1400, 1usize..LONGEST - 200, 0..MOST_OPTIONS / 4);
    (any::<bool>(), any::<u32>(), any::<[bool; 3]>(), sizes).prop_map(
        |(is_ipv6, number, flags, (size, length, options))| Large {
            is_ipv6,
            number,
            flags,
            options,
            length,
            size,
        },
    )
}

impl Large {
    fn frame(&self) -> Vec<u8> {
        let data: Vec<u8> = (0..self.length).map(|index| (index * 7 + index / 256) as u8).collect();
        let ethernet = PacketBuilder::ethernet2(Card::MAC, PEER);
        let ip = match self.is_ipv6 {
            true => ethernet.ipv6([0xfd; 16], [0xfc; 16], 64),
            false => ethernet.ipv4([192, 168, 7, 2], [192, 168, 7, 1], 64),
        };
        let mut tcp = ip.tcp(4000, 80, self.number, 8000).ack(7);
        let [fin, psh, cwr] = self.flags;
        tcp = if fin { tcp.fin() } else { tcp };
        tcp = if psh { tcp.psh() } else { tcp };
        tcp = if cwr { tcp.cwr() } else { tcp };
        let mut frame = Vec::new();
        let tcp = tcp.options_raw(&vec![1; self.options * 4]).expect("they fit");
        tcp.write(&mut frame, &data).expect("it fits");
        frame
    }

    /// Whether a device with these limits makes the segments that `whole` is.
    fn is_within(&self, limits: OffloadLimits, whole: &[u8]) -> bool {
        let count = self.length.div_ceil(self.size.into());
        let longest = whole.len().min(whole.len() - self.length + usize::from(self.size));
        let [.., cwr] = self.flags;
        (MINIMUM..=limits.longest.unwrap_or(usize::MAX)).contains(&longest)
            && limits.segments.is_none_or(|most| count <= most)
            && !(limits.leaves_cwr && cwr)
    }
}

fn open_vnet(rig: &mut Rig<Card>) -> usize {
    rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn large_frames_leave_in_segments_whoever_makes_them(
        frames in prop::collection::vec((large(), any::<bool>(), any::<bool>()), 1..20),
    ) {
        let mut rig = Rig::new(Card::new());
        let id = open_vnet(&mut rig);
        let has = rig.cat("features");
        let limits = rig.port.borrow().info.facilities.offloads;
        for (large, segments, checksums) in frames {
            for (name, on) in [
                ("tx-tcp-segmentation", segments),
                ("tx-tcp6-segmentation", segments),
                ("tx-checksum-ip-generic", checksums),
                ("tx-checksum-ipv4", checksums),
                ("tx-checksum-ipv6", checksums),
            ] {
                let told = rig.echo("features", &format!("{name} {}", if on { "on" } else { "off" }));
                prop_assert_eq!(told.is_ok(), has.contains(name));
            }
            let before = rig.slot.with(|model, _| model.cut);
            let whole = large.frame();
            let bytes = several(&whole, large.length, large.size);
            prop_assert_eq!(rig.write(id, &bytes), Ok(bytes.len()));
            assert_segments(&whole, large.size.into(), &rig.sent());
            let name = if large.is_ipv6 { "tx-tcp6-segmentation" } else { "tx-tcp-segmentation" };
            let by_device = segments && checksums && has.contains(name) && large.is_within(limits, &whole);
            prop_assert_eq!(rig.slot.with(|model, _| model.cut) - before, usize::from(by_device));
        }
    }
}

/// The checksum of its 22nd segment is zero, which has two forms.
#[test]
fn a_segment_whose_checksum_is_zero_is_right() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    let number = 2_595_707_502;
    let large = Large { is_ipv6: true, number, flags: [false; 3], options: 3, length: 20_658, size: 939 };
    let whole = large.frame();
    assert!(rig.write(id, &several(&whole, large.length, large.size)).is_ok());
    assert_segments(&whole, large.size.into(), &rig.sent());
}

#[test]
fn segments_are_counted_as_they_are_on_the_wire() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    let large =
        Large { is_ipv6: false, number: 1, flags: [false; 3], options: 0, length: 10_000, size: 1000 };
    assert!(rig.write(id, &several(&large.frame(), 10_000, 1000)).is_ok());
    rig.settle();
    assert_eq!((rig.stat("tx_packets"), rig.stat("tx_bytes")), (10, 10 * 1054));
}

#[test]
fn large_frames_that_make_no_sense_are_refused() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    let large =
        |length, size| Large { is_ipv6: false, number: 1, flags: [false; 3], options: 0, length, size };
    let good = large(10_000, 1000);
    let frame = good.frame();
    let bytes = several(&frame, 10_000, 1000);
    let header = Header::parse(bytes.first_chunk().expect("there is one")).expect("it makes sense");
    let with = |change: &dyn Fn(&mut Segments)| {
        let mut segments = header.segments.expect("it has segments");
        change(&mut segments);
        [&Header { segments: Some(segments), ..header }.bytes()[..], &bytes[SIZE..]].concat()
    };
    let changed = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[SIZE + at] = value;
        changed
    };
    for (why, refused) in [
        ("no size", with(&|segments| segments.size = 0)),
        ("too many", with(&|segments| segments.size = 100)),
        ("too long for the MTU", with(&|segments| segments.size = 1461)),
        ("another version", with(&|segments| segments.is_ipv6 = true)),
        ("headers elsewhere", with(&|segments| segments.header += 4)),
        ("headers beyond the frame", with(&|segments| segments.header = u16::MAX)),
        ("a fragment", changed(20, 0x20)),
        ("UDP", changed(23, 17)),
        ("a SYN", changed(47, 0x12)),
        ("a TCP header that is too short", changed(46, 0x40)),
        ("another checksum", {
            let checksum = scheme::vnet::Checksum::Partial { start: 34, offset: 6 };
            [&Header { checksum, ..header }.bytes()[..], &frame].concat()
        }),
        ("no data", several(&frame[..54], 0, 1000)),
        ("nothing but a header", bytes[..SIZE].to_vec()),
        ("too long", several(&large(LONGEST, 1000).frame(), LONGEST, 1000)),
    ] {
        assert_eq!(rig.write(id, &refused), Err(EINVAL), "{why}");
    }
    assert!(rig.sent().is_empty());
    assert_eq!(rig.write(id, &bytes), Ok(bytes.len()), "and this is good");
}
