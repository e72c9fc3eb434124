//! A device that is stopped wakes the machine for a magic packet, if it is told to.

use std::time::Duration;

use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

/// Longer than a device stays powered that nobody uses.
const LONG: Duration = Duration::from_secs(10);

const OTHER: [u8; 6] = [0x52, 0x54, 0, 0, 0, 7];

/// A magic packet for `address` arrives; whether the machine is woken.
fn wakes(rig: &mut Rig<Card>, address: [u8; 6]) -> bool {
    let mut packet = frame([0xff; 6], 14, 1);
    packet.extend([0xff; 6]);
    packet.extend(address.repeat(16));
    rig.arrive(&packet);
    rig.slot.wakes()
}

fn pass(rig: &mut Rig<Card>, time: Duration) {
    rig.pass(time).expect("the device is well");
}

#[test]
fn a_stopped_device_wakes_the_machine_for_a_magic_packet_if_it_is_armed() {
    for time in [Duration::ZERO, LONG] {
        let mut rig = Rig::new(Card::waking());
        assert_eq!(rig.cat("wake"), "magic off\n");
        pass(&mut rig, time);
        assert!(!wakes(&mut rig, Card::MAC), "it is not armed");
        assert_eq!(rig.echo("wake", "magic on"), Ok(8));
        pass(&mut rig, time);
        assert_eq!((rig.cat("wake").as_str(), rig.slot.is_powered_down()), ("magic on\n", !time.is_zero()));
        rig.arrive(&frame(Card::MAC, 200, 1));
        assert!(!rig.slot.wakes(), "that was no magic packet");
        assert!(!wakes(&mut rig, OTHER), "it is for another");
        assert!(wakes(&mut rig, Card::MAC));
        assert_eq!(rig.slot.lost_accesses(), 0);
    }
}

#[test]
fn what_is_armed_while_it_runs_holds_from_the_last_close_to_the_next_open() {
    let mut rig = Rig::new(Card::waking());
    let id = rig.open_frames();
    rig.echo("wake", "magic on").expect("the device can");
    rig.echo("address", "52:54:00:00:00:07").expect("that is a station");
    assert!(!wakes(&mut rig, OTHER), "it runs");
    rig.close(id);
    assert!(!wakes(&mut rig, Card::MAC), "that is no longer its address");
    assert!(wakes(&mut rig, OTHER));

    let id = rig.open_frames();
    let frame = frame(OTHER, 100, 1);
    rig.arrive(&frame);
    assert_eq!(rig.write(id, &frame), Ok(100));
    assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]));
    assert!(!wakes(&mut rig, OTHER), "it runs again");
    rig.echo("wake", "magic off").expect("the device can");
    rig.close(id);
    assert!(!wakes(&mut rig, OTHER));
}

#[test]
fn it_stays_armed_over_looks_at_its_registers_and_when_its_driver_ends() {
    for time in [Duration::ZERO, LONG] {
        let mut rig = Rig::new(Card::waking());
        rig.echo("wake", "magic on").expect("the device can");
        pass(&mut rig, time);
        assert!(!rig.cat("registers").is_empty());
        pass(&mut rig, time);
        let slot = rig.slot.clone();
        drop(rig);
        assert!(!slot.is_powered_down() && !slot.wakes());
        let packet = [&[0xff; 12][..], &Card::MAC.repeat(16)].concat();
        slot.with(|model, bus| model.arrive(bus, &packet));
        assert!(slot.wakes());

        let mut rig = Rig::attach(slot).expect("the next driver takes it");
        assert_eq!(rig.cat("wake"), "magic off\n");
    }
}

#[test]
fn what_is_no_line_of_the_file_is_refused() {
    let mut rig = Rig::new(Card::waking());
    for line in ["magic", "magic 1", "arp on", "magic on\nlink on"] {
        assert_eq!(rig.echo("wake", line), Err(EINVAL), "{line}");
        assert_eq!(rig.cat("wake"), "magic off\n");
    }
}
