//! What the device says of itself, and counts.

use scheme::errno::EOPNOTSUPP;

use crate::model::Vmxnet3;
use models::rig::{Rig, frame};

#[test]
fn features_and_registers_are_those_of_the_device() {
    let mut rig = Rig::new(Vmxnet3::new());
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("ECR 0x00000000\n"));
}

#[test]
fn what_the_device_counts_is_counted_once_over_all_its_lives() {
    let mut rig = Rig::new(Vmxnet3::new());
    for round in 1..=3 {
        let id = rig.open_frames();
        for seed in 0..300 {
            rig.arrive(&frame(Vmxnet3::MAC, 100, seed));
        }
        assert_eq!(rig.drain(id).len(), 191);
        assert_eq!(rig.stat("rx_missed_errors"), 109 * round);
        rig.slot.with(|model, _| {
            model.counters[0] += 1;
            model.counters[3] += 2;
        });
        assert_eq!((rig.stat("tx_errors"), rig.stat("rx_errors")), (round, 2 * round));
        assert_eq!(rig.stat("rx_missed_errors"), 109 * round, "asking changes nothing");
        rig.close(id);
    }
}

#[test]
fn more_groups_than_the_list_holds_are_all_groups() {
    let mut rig = Rig::new(Vmxnet3::new());
    let id = rig.open_frames();
    let groups: String = (0..33).map(|last| format!("+multicast 01:00:5e:00:00:{last:02x}\n")).collect();
    assert!(rig.echo("filter", &groups).is_ok());
    rig.arrive(&frame([0x01, 0x00, 0x5e, 0x00, 0x00, 32], 100, 0));
    rig.settle();
    assert_eq!(rig.read_all(id).len(), 1);
}

#[test]
fn moderation_is_switched_by_a_restart_that_loses_nothing() {
    let mut rig = Rig::new(Vmxnet3::new());
    let id = rig.open_frames();
    let level = |rig: &Rig<Vmxnet3>| rig.slot.with(|model, _| model.shared.interrupts.mod_levels[0]);
    assert_eq!((rig.cat("coalesce").as_str(), level(&rig)), ("adaptive on\n", 8));

    let frames: Vec<_> = (0..3).map(|seed| frame(Vmxnet3::MAC, 100, seed)).collect();
    rig.arrive(&frames[0]);
    assert_eq!(rig.echo("coalesce", "adaptive off\n"), Ok(13));
    assert_eq!((rig.cat("coalesce").as_str(), level(&rig)), ("adaptive off\n", 0));
    rig.arrive(&frames[1]);
    assert_eq!(rig.write(id, &frames[2]), Ok(100));
    assert_eq!((rig.drain(id), rig.sent()), (frames[..2].to_vec(), frames[2..].to_vec()));
    assert_eq!(rig.echo("coalesce", "rx-usecs 1\n"), Err(EOPNOTSUPP));
}
