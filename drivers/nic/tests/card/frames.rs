//! Frames pass both ways, whole and in order.

use std::time::Duration;

use nic::frame::MINIMUM;
use proptest::prelude::*;
use scheme::EventFlags;
use scheme::errno::{EAGAIN, EINVAL};
use scheme::flag::{O_RDONLY, O_WRONLY};

use crate::model::Card;
use models::rig::{Rig, frame};

const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

#[test]
fn frames_of_all_lengths_leave_byte_for_byte() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for len in MINIMUM..=1514 {
        let frame = frame(PEER, len, len);
        assert_eq!(rig.write(id, &frame), Ok(len));
        assert_eq!(rig.sent(), [frame]);
    }
    assert_eq!(rig.stat("tx_packets"), 1455);
}

#[test]
fn frames_of_all_lengths_arrive_byte_for_byte() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for len in MINIMUM..=1514 {
        let frame = frame(Card::MAC, len, len);
        rig.arrive(&frame);
        rig.settle();
        assert_eq!(rig.read(id), Ok(frame));
    }
    assert_eq!(rig.read(id), Err(EAGAIN));
    assert_eq!(rig.stat("rx_packets"), 1455);
    assert_eq!(rig.stat("rx_bytes"), (MINIMUM..=1514).sum::<usize>() as u64);
}

#[test]
fn the_rings_wrap_over_thousands_of_frames_and_memory_stays() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let free = (rig.pools.receive.free(), rig.pools.transmit.free());
    for round in 0..10_000 / Card::BURST {
        let burst: Vec<_> =
            (0..Card::BURST).map(|seed| frame(Card::MAC, 60 + (seed * 17 + round) % 1455, seed)).collect();
        for frame in &burst {
            rig.arrive(frame);
            assert_eq!(rig.write_only(id, frame), Ok(frame.len()));
        }
        rig.settle();
        assert!(rig.read_all(id) == burst, "round {round}: received other frames than arrived");
        assert!(rig.sent() == burst, "round {round}: sent other frames than written");
    }
    assert_eq!((rig.stat("rx_packets"), rig.stat("tx_packets")), (10_000, 10_000));
    assert_eq!((rig.pools.receive.free(), rig.pools.transmit.free()), free);
    assert_eq!(rig.slot.with(|model, _| model.strays), 0);
}

#[test]
fn short_frames_are_padded_and_impossible_ones_refused() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let short = frame(PEER, 14, 0);
    assert_eq!(rig.write(id, &short), Ok(14));
    assert_eq!(rig.sent(), [[short, vec![0; 46]].concat()]);

    assert_eq!(rig.write(id, &[0; 13]), Err(EINVAL));
    assert_eq!(rig.write(id, &[]), Err(EINVAL));
    assert_eq!(rig.write(id, &frame(PEER, 1515, 0)), Err(EINVAL));
    assert!(rig.sent().is_empty());

    // A tag is not part of the payload.
    let mut tagged = frame(PEER, 1518, 0);
    tagged[12..14].copy_from_slice(&[0x81, 0x00]);
    assert_eq!(rig.write(id, &tagged), Ok(1518));
    assert_eq!(rig.sent(), [tagged]);
}

#[test]
fn every_reader_gets_every_frame_from_its_open_on() {
    let mut rig = Rig::new(Card::new());
    let first = rig.open_frames();
    let frames: Vec<_> = (0..3).map(|seed| frame(Card::MAC, 100, seed)).collect();
    rig.arrive(&frames[0]);
    rig.settle();
    let second = rig.open("frame", O_RDONLY).expect("a second reader opens");
    rig.arrive(&frames[1]);
    rig.arrive(&frames[2]);
    rig.settle();
    assert_eq!(rig.read_all(second), frames[1..]);
    assert_eq!(rig.read_all(first), frames);
}

#[test]
fn a_slow_reader_loses_its_oldest_and_is_told_how_many() {
    let mut rig = Rig::new(Card::new());
    let (slow, quick) = (rig.open_frames(), rig.open_frames());
    let frames: Vec<_> = (0..1000).map(|seed| frame(Card::MAC, 100, seed)).collect();
    for burst in frames.chunks(Card::BURST) {
        burst.iter().for_each(|frame| rig.arrive(frame));
        rig.settle();
        assert!(rig.read_all(quick) == burst, "a quick reader gets all");
    }
    let kept = rig.read_all(slow);
    assert!(kept == frames[1000 - kept.len()..], "a slow reader keeps the newest");
    assert_eq!(rig.lost(slow), 1000 - kept.len() as u64);
    assert_eq!(rig.lost(quick), 0);
    assert_eq!(rig.stat("tap_dropped"), 1000 - kept.len() as u64);
}

#[test]
fn frames_wait_in_the_device_for_readers_that_read() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let frames: Vec<_> = (0..5000).map(|seed| frame(Card::MAC, 100, seed)).collect();
    let mut read = Vec::new();
    for burst in frames.chunks(Card::BURST) {
        burst.iter().for_each(|frame| rig.arrive(frame));
        rig.settle();
        // It reads less than comes until it is behind, and then as much.
        let count = if read.len() < 500 { Card::BURST * 4 / 5 } else { Card::BURST };
        read.extend((0..count).map_while(|_| rig.read(id).ok()));
        rig.pass(Duration::from_millis(1)).expect("the device is well");
    }
    read.extend(rig.drain(id));
    assert!(read == frames, "{} of {} frames were read", read.len(), frames.len());
}

#[test]
fn no_interrupt_tells_of_frames_while_a_reader_comes_back_for_others() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let mut frames = (0..).map(|seed| frame(Card::MAC, 100, seed));
    let arrive = |rig: &mut Rig<Card>, frame: Option<Vec<u8>>| {
        rig.arrive(&frame.expect("there is no end to them"));
        rig.settle();
    };
    (0..3).for_each(|_| arrive(&mut rig, frames.next()));
    let interrupts = rig.stat("interrupts");
    for _ in 0..20 {
        assert!(rig.read(id).is_ok());
        arrive(&mut rig, frames.next());
    }
    assert_eq!(rig.stat("interrupts"), interrupts, "the device is asked at each read");

    assert_eq!(rig.drain(id).len(), 3);
    // Some devices tell of what came while they were masked once they are not.
    let interrupts = rig.stat("interrupts");
    arrive(&mut rig, frames.next());
    assert_eq!(rig.stat("interrupts"), interrupts + 1, "the reader waits, and the device tells");

    arrive(&mut rig, frames.next());
    rig.pass(Duration::from_millis(10)).expect("the device is well");
    let interrupts = rig.stat("interrupts");
    arrive(&mut rig, frames.next());
    assert_eq!(rig.stat("interrupts"), interrupts + 1, "the reader did not come back");
    assert_eq!(rig.read_all(id).len(), 3);
}

#[test]
fn a_full_queue_holds_the_writer_back_until_half_of_it_is_free() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, bus| model.set_link(bus, false));
    rig.settle();
    let frames: Vec<_> = (0..).map(|seed| frame(PEER, 100, seed)).take(rig.pools.transmit.size()).collect();
    for frame in &frames {
        assert_eq!(rig.write(id, frame), Ok(100));
    }
    assert_eq!(rig.write(id, &frames[0]), Err(EAGAIN));
    assert!(!rig.ready(id).contains(EventFlags::EVENT_WRITE));
    assert!(rig.sent().is_empty(), "nothing is given to a device without a link");

    rig.slot.with(|model, bus| model.set_link(bus, true));
    rig.settle();
    assert_eq!(rig.sent(), frames);
    assert!(rig.ready(id).contains(EventFlags::EVENT_WRITE));
    assert_eq!(rig.write(id, &frames[0]), Ok(100));
}

#[test]
fn a_write_only_handle_is_no_reader() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open("frame", O_WRONLY).expect("`frame` opens");
    rig.arrive(&frame(Card::MAC, 100, 0));
    rig.settle();
    assert!(rig.read(id).is_err());
    assert_eq!(rig.stat("rx_nohandler"), 1);
}

/// What the readers of a device do, and what comes from the wire.
#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    Close(usize),
    Read(usize, usize),
    Arrive(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Open),
        1 => any::<usize>().prop_map(Step::Close),
        6 => (any::<usize>(), 0usize..200).prop_map(|(reader, count)| Step::Read(reader, count)),
        6 => (0usize..200).prop_map(Step::Arrive),
    ]
}

/// A reader as the test sees it: its handle, the number of the frame that it reads next, and what it has lost.
struct Reader {
    id: usize,
    next: u32,
    lost: u64,
}

impl Reader {
    /// Reads up to `count` frames: each whole, and none before or twice.
    fn read(&mut self, rig: &mut Rig<Card>, count: usize) -> Result<(), TestCaseError> {
        for frame in (0..count).map_while(|_| rig.read(self.id).ok()) {
            let number = u32::from_be_bytes([frame[14], frame[15], frame[16], frame[17]]);
            prop_assert!(frame == numbered(number), "frame {} is damaged", number);
            prop_assert!(number >= self.next, "frame {} comes again", number);
            self.lost += u64::from(number - self.next);
            self.next = number + 1;
        }
        Ok(())
    }
}

fn numbered(number: u32) -> Vec<u8> {
    let mut frame = frame(Card::MAC, 60 + number as usize % 1455, number as usize);
    frame[14..18].copy_from_slice(&number.to_be_bytes());
    frame
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn readers_get_whole_frames_in_order_and_know_what_they_lost(steps in prop::collection::vec(step(), 0..100)) {
        let mut rig = Rig::new(Card::new());
        let first = Reader { id: rig.open_frames(), next: 0, lost: 0 };
        let mut readers = vec![first];
        let mut arrived = 0;
        for step in steps {
            match step {
                Step::Open if readers.len() < 4 => {
                    readers.push(Reader { id: rig.open_frames(), next: arrived, lost: 0 });
                }
                Step::Open => {}
                // The first stays, so that the device runs all the time.
                Step::Close(reader) if readers.len() > 1 => {
                    rig.close(readers.remove(1 + reader % (readers.len() - 1)).id);
                }
                Step::Close(_) => {}
                Step::Read(reader, count) => {
                    let index = reader % readers.len();
                    readers[index].read(&mut rig, count)?;
                }
                Step::Arrive(count) => {
                    let numbers: Vec<_> = (arrived..).take(count).collect();
                    for burst in numbers.chunks(Card::BURST) {
                        burst.iter().for_each(|&number| rig.arrive(&numbered(number)));
                        // Long enough that nothing is held back.
                        rig.pass(Duration::from_millis(100)).expect("the device is well");
                    }
                    arrived += count as u32;
                }
            }
        }
        for mut reader in readers {
            reader.read(&mut rig, usize::MAX)?;
            reader.lost += u64::from(arrived - reader.next);
            prop_assert_eq!(rig.lost(reader.id), reader.lost);
        }
        prop_assert_eq!(rig.stat("rx_missed_errors"), 0);
    }
}
