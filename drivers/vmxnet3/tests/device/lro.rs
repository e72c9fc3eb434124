//! What the device says, and does not say, of segments that it has joined.

use models::packets::{of_each_kind, several};
use models::rig::Rig;
use models::wire::assert_segments;
use scheme::vnet::{LONGEST_RECEIVED, SIZE};

use crate::joined::{SEGMENT, arrive, large, open, read_all};
use crate::model::Vmxnet3;

#[test]
fn a_device_that_does_not_tell_what_it_joins_joins_nothing() {
    let mut model = Vmxnet3::new();
    model.revisions = [1, 1];
    let mut rig = Rig::new(model);
    let [plain, described] = open(&mut rig);
    assert!(!rig.cat("features").contains("rx-gro-hw"));
    let [whole, _] = large(10_000);
    arrive(&mut rig, &several(&whole, 10_000, SEGMENT));
    assert_segments(&whole, SEGMENT.into(), &read_all(&mut rig, plain));
    assert_eq!(read_all(&mut rig, described).len(), 8);
}

#[test]
fn segments_whose_size_it_does_not_tell_are_as_long_as_one_another() {
    let mut rig = Rig::new(Vmxnet3::new());
    rig.slot.with(|model, _| model.hides_size = true);
    let [plain, described] = open(&mut rig);
    for whole in large(10_000) {
        arrive(&mut rig, &several(&whole, 10_000, SEGMENT));
        assert_segments(&whole, 1250, &read_all(&mut rig, plain));
        assert_eq!(read_all(&mut rig, described), [several(&whole, 10_000, 1250)]);
    }
}

#[test]
fn what_cannot_have_been_segments_is_dropped_and_counted() {
    let mut rig = Rig::new(Vmxnet3::new());
    let [plain, described] = open(&mut rig);
    let [tcp4, udp4, _, _] = of_each_kind(Vmxnet3::MAC, 10_000);
    let mut other = several(&tcp4, 10_000, SEGMENT);
    other.truncate(SIZE);
    other.extend(udp4);
    let large_segments = several(&tcp4, 10_000, 1473);
    // As long as IP allows, which is longer than the header and its length in a pipe do.
    let data = usize::from(u16::MAX) - 40;
    let [endless, _] = large(data);
    assert!(endless.len() > LONGEST_RECEIVED);
    let endless = several(&endless, data, SEGMENT);
    let cases = [(other, "rx_errors"), (large_segments, "rx_length_errors"), (endless, "rx_length_errors")];
    for (bad, counter) in cases {
        let before = rig.stat(counter);
        arrive(&mut rig, &bad);
        assert_eq!(rig.stat(counter), before + 1);
        assert_eq!([plain, described].map(|id| read_all(&mut rig, id).len()), [0, 0]);
    }
    let [whole, _] = large(10_000);
    arrive(&mut rig, &several(&whole, 10_000, SEGMENT));
    assert_segments(&whole, SEGMENT.into(), &read_all(&mut rig, plain));
}
