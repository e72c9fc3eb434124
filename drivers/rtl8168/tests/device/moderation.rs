//! The units in which the device counts its intervals.

use nic::Intervals;

use crate::model::{Card, Rtl8168};
use models::rig::Rig;

fn intervals(rig: &Rig<Card>) -> Intervals {
    rig.slot.with(|model, _| model.intervals())
}

#[test]
fn the_intervals_stay_when_the_speed_and_with_it_the_unit_changes() {
    let mut rig = Rig::new(Card::new());
    rig.open_frames();
    assert!(rig.echo("coalesce", "rx-usecs 1000\ntx-usecs 100").is_ok());
    assert_eq!(intervals(&rig), Intervals { receive: 1040, transmit: 160 }, "in units of 80 us");
    for (speed, kept) in
        [(100, Intervals { receive: 1065, transmit: 164 }), (10, Intervals { receive: 1311, transmit: 328 })]
    {
        assert!(rig.echo("media", &format!("autoneg off\nspeed {speed}\nfull-duplex on")).is_ok());
        rig.slot.with(|model, bus| model.set_link(bus, true));
        rig.settle();
        assert_eq!(intervals(&rig), kept, "{speed} Mbit/s");
    }
}

#[test]
fn the_most_is_what_the_device_can_at_any_speed() {
    for (device, most, kept) in [(0x8169, 153, 154), (0x8168, 1228, 1280)] {
        let mut rig = Rig::new(Rtl8168::of(device, 0x3000_0000));
        rig.open_frames();
        assert!(rig.echo("coalesce", &format!("rx-usecs {}", most + 1)).is_err());
        assert!(rig.echo("coalesce", &format!("rx-usecs {most}\ntx-usecs 0")).is_ok());
        assert_eq!(intervals(&rig), Intervals { receive: kept, transmit: 0 });
    }
    let mut rig = Rig::new(Rtl8168::of(0x8125, 0));
    assert!(rig.cat("features").contains("coalesce unsupported\n"));
}
