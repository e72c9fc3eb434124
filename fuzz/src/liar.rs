//! What a device does that lies to its driver. The targets include it, with the device and its steps beside it.

use std::time::Duration;

use hw::fake::Slot;

use super::madness::act;
use super::model::Card;
use super::rig::Rig;
use super::steps::step;
use crate::input::Input;

/// More steps than this tell nothing new.
const MOST_STEPS: usize = 200;

/// Attaches the driver to a device that may lie from the start, and does what `data` says until the driver
/// gives the device up or nothing is left to do. Nothing may be lost, and the device must be quiet afterwards.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut model = Card::new();
    for _ in 0..input.u8() % 8 {
        model.faults.lies.push_back(input.u32());
    }
    let slot = Slot::new(model);
    let Ok(mut rig) = Rig::attach(slot.clone()) else {
        assert!(!slot.is_bus_master());
        return;
    };
    // Left over from a shorter start than was lied about.
    slot.with(|model, _| model.faults.lies.clear());
    let reader = rig.open_frames();
    for index in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        if act(&mut rig, reader, index, step(&mut input)).is_err() {
            drop(rig);
            assert!(!slot.is_bus_master(), "the driver has ended");
            return;
        }
    }
    slot.with(|model, _| model.faults = Default::default());
    rig.close(reader);
    rig.pass(Duration::from_secs(10)).expect("the device answers again");
    assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
    assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
}
