//! What the device says of itself, and counts.

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn features_and_registers_are_those_of_the_device() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("STATUS 0x00080000\n"));
}

#[test]
fn the_speed_is_what_the_link_says() {
    for (speed, between, told) in
        [(1, false, 100), (2, false, 1000), (3, false, 10_000), (3, true, 2500), (1, true, 5000)]
    {
        let mut model = Card::with_device(0x1563);
        model.speed = (speed, between);
        assert_eq!(Rig::new(model).cat("link"), format!("state up\nspeed {told}\nduplex full\n"));
    }
}

#[test]
fn the_speed_of_a_modules_link_alone_can_be_set() {
    let offered = |model| Rig::new(model).cat("features").contains("media on\n");
    assert!(offered(Card::new()));
    assert!(!offered(Card::with_backplane()));
    assert!([0x151c, 0x1528, 0x1563].into_iter().all(|device| !offered(Card::with_device(device))));
}

#[test]
fn its_eeprom_says_whether_it_wakes_the_machine() {
    let offered = |device, capabilities| {
        let mut model = Card::with_device(device);
        model.eeprom[0x2c] = capabilities;
        Rig::new(model).cat("features").contains("wake on\n")
    };
    // No port, both of them, the first one, which it is, and none; another bit says nothing of that.
    assert_eq!([0, 0x4, 0x8, 0xc, 0x3].map(|word| offered(0x10fb, word)), [false, true, true, false, false]);
    assert!(offered(0x1528, 0x4));
    assert!(!offered(0x1563, 0x4), "the X550's cannot be read");
}

#[test]
fn what_the_device_counts_is_told_once_and_kept_when_it_is_stopped() {
    let mut rig = Rig::new(Card::new());
    for round in 1..=3 {
        let id = rig.open_frames();
        for seed in 0..300 {
            rig.arrive(&frame(Card::MAC, 100, seed));
        }
        assert_eq!(rig.drain(id).len(), 255);
        // CRCERRS, ILLERRC.
        rig.slot.with(|model, _| [0x4000, 0x4004].map(|counter| model.count(counter)));
        rig.close(id);
        assert_eq!(rig.stat("rx_missed_errors"), 45 * round);
        assert_eq!((rig.stat("rx_crc_errors"), rig.stat("rx_errors")), (round, 2 * round));
        assert_eq!(rig.stat("rx_errors"), 2 * round, "asking changes nothing");
    }
}
