//! What cannot have been segments that the device has joined.

use models::packets::{of_each_kind, several};
use models::rig::Rig;
use scheme::vnet::{Header, LONGEST_RECEIVED, SIZE, Segments};

use crate::joined::{SEGMENT, arrive, large, open, read_all};
use crate::model::VirtioNet;

#[test]
fn what_cannot_have_been_segments_is_dropped_and_counted() {
    let mut rig = Rig::new(VirtioNet::new());
    let [plain, described] = open(&mut rig);
    let [tcp4, udp4, _, _] = of_each_kind(VirtioNet::MAC, 10_000);
    let mut empty = several(&tcp4, 10_000, SEGMENT);
    let (header, _) = empty.split_first_chunk_mut::<SIZE>().expect("it has a header");
    let said = Header::parse(header).expect("it is one");
    *header = Header { segments: said.segments.map(|of| Segments { size: 0, ..of }), ..said }.bytes();
    let mut other = several(&tcp4, 10_000, SEGMENT);
    other.truncate(SIZE);
    other.extend(udp4);
    let large_segments = several(&tcp4, 10_000, 1473);
    // As long as IP allows, which is longer than the header and its length in a pipe do.
    let data = usize::from(u16::MAX) - 40;
    let [endless, _] = large(data);
    assert!(endless.len() > LONGEST_RECEIVED);
    let endless = several(&endless, data, SEGMENT);
    for (bad, counter) in [
        (empty, "rx_errors"),
        (other, "rx_errors"),
        (large_segments, "rx_length_errors"),
        (endless, "rx_length_errors"),
    ] {
        let before = rig.stat(counter);
        arrive(&mut rig, &bad);
        assert_eq!(rig.stat(counter), before + 1);
        assert_eq!([plain, described].map(|id| read_all(&mut rig, id).len()), [0, 0]);
    }
}
