//! Checksums as virtio has them: negotiated, and perhaps left out by the device, too.

use scheme::flag::{O_NONBLOCK, O_RDWR};
use virtio_net::registers::Features;

use crate::model::VirtioNet;
use models::packets::{of_each_kind, unfinished, verdict};
use models::rig::Rig;

/// The header of `vnet`.
const HEADER: usize = 12;

#[test]
fn frames_whose_checksums_the_device_leaves_out_reach_plain_readers_whole() {
    let mut rig = Rig::new(VirtioNet::new());
    let (plain, described) = (rig.open_frames(), rig.open("vnet", O_RDWR | O_NONBLOCK));
    for length in [0, 1, 1001] {
        for whole in of_each_kind(VirtioNet::MAC, length) {
            let bytes = unfinished(&whole);
            let (header, frame) = bytes.split_at(HEADER);
            rig.slot.with(|model, _| {
                model.faults.header = Some([1, 0]);
                model.partial_at.copy_from_slice(&header[6..10]);
            });
            rig.arrive(frame);
            rig.settle();
            let read = rig.read(plain).expect("it is received");
            assert_eq!((verdict(&read), read.len()), (Some(true), whole.len()));
            assert_eq!(described.and_then(|id| rig.read(id)), Ok(bytes));
        }
    }
}

#[test]
fn a_short_read_of_such_a_frame_gets_its_beginning() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    let [whole, ..] = of_each_kind(VirtioNet::MAC, 1000);
    rig.slot.with(|model, _| {
        model.faults.header = Some([1, 0]);
        model.partial_at = [34, 0, 16, 0];
    });
    rig.arrive(&unfinished(&whole)[HEADER..]);
    rig.settle();
    assert_eq!(rig.read_up_to(id, 100), Ok(whole[..100].to_vec()));
}

#[test]
fn a_device_without_checksums_has_no_such_features() {
    let without = VirtioNet::new().offered & !(Features::CSUM | Features::GUEST_CSUM).bits();
    let mut rig = Rig::new(VirtioNet::offering(without, true));
    assert!(!rig.cat("features").contains("checksum"));
    let id = rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` is there all the same");
    let [whole, ..] = of_each_kind(VirtioNet::MAC, 1000);
    assert!(rig.write(id, &unfinished(&whole)).is_ok());
    rig.arrive(&whole);
    rig.settle();
    assert_eq!(rig.sent(), std::slice::from_ref(&whole), "the driver fills it in");
    assert_eq!(rig.read(id), Ok([vec![0; HEADER], whole].concat()), "and says nothing");
}
