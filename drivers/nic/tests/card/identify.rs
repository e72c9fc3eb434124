//! The LEDs show which device it is.

use std::time::Duration;

use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

fn leds(rig: &Rig<Card>) -> u32 {
    rig.slot.with(|model, _| model.leds())
}

#[test]
fn leds_blink_for_as_long_as_they_are_asked_to() {
    let mut rig = Rig::new(Card::new());
    let before = leds(&rig);
    assert_eq!(rig.echo("identify", "2\n"), Ok(2));
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("2\n", Card::IDENTIFYING));
    rig.pass(Duration::from_millis(1500)).expect("the device is there");
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("1\n", Card::IDENTIFYING));
    rig.pass(Duration::from_millis(600)).expect("the device is there");
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("0\n", before));

    rig.echo("identify", "100").expect("the device has LEDs");
    rig.echo("identify", "0").expect("the device has LEDs");
    assert_eq!(leds(&rig), before);
    for wrong in ["", "on", "-1", "86401"] {
        assert_eq!(rig.echo("identify", wrong), Err(EINVAL), "{wrong}");
    }
}

#[test]
fn leds_blink_on_when_the_device_is_reset() {
    let mut rig = Rig::new(Card::new());
    let before = leds(&rig);
    let id = rig.open_frames();
    assert_eq!(rig.echo("identify", "60"), Ok(2));
    rig.slot.with(|model, _| model.faults.hangs = true);
    assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 60, 0)), Ok(60));
    rig.pass(Duration::from_secs(7)).expect("the device is there");
    assert_eq!((rig.stat("tx_timeout"), leds(&rig)), (1, Card::IDENTIFYING));
    rig.pass(Duration::from_secs(60)).expect("the device is there");
    assert_eq!(leds(&rig), before);
}
