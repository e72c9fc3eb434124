//! Interrupt moderation: how long INTRMITIGATE holds interrupts back, in units that CPCR chooses and the link's speed
//! stretches.

use bitfield_struct::bitfield;
use hw::Registers;
use nic::{Intervals, Link, Moderation};
use realtek::registers::CPCR;

use crate::chips::Generation;
use crate::registers::INTRMITIGATE;

/// CPCR's bits that choose the unit (INTT), and by what each of their values multiplies the least one.
const INTT: u16 = 3;
const FACTORS: [u32; 4] = [1, 8, 16, 32];

/// The most units.
const MOST: u32 = 15;

/// INTRMITIGATE. No number of frames ends the time early.
#[bitfield(u16)]
struct IntrMitigate {
    #[bits(4)]
    __: u8,
    /// Units for frames that have come.
    #[bits(4)]
    receive: u8,
    #[bits(4)]
    __: u8,
    /// Units for frames that were sent.
    #[bits(4)]
    transmit: u8,
}

/// Nanoseconds of the least unit. At a gigabit the PCI Express devices have another.
fn unit(generation: Generation, link: Link) -> u32 {
    match link {
        Link::Up { speed: Some(10), .. } => 40_960,
        Link::Up { speed: Some(100), .. } => 2_560,
        _ if generation == Generation::Rtl8169 => 320,
        _ => 5_000,
    }
}

/// What a device can: that which it can at any speed. The RTL8125 has timers of its own, which nothing public tells of.
pub fn of(generation: Generation) -> Moderation {
    let least_unit = match generation {
        Generation::Rtl8169 => 320,
        Generation::Rtl8168 | Generation::Rtl8168G => 2_560,
        Generation::Rtl8125 => return Moderation::None,
    };
    let [.., factor] = FACTORS;
    Moderation::TwoIntervals(MOST * factor * least_unit / 1000)
}

/// Has the device keep these intervals on this link, and what its unit makes of them: no less.
pub fn set(registers: &impl Registers, generation: Generation, intervals: Intervals, link: Link) {
    let least_unit = unit(generation, link);
    let longest = intervals.receive.max(intervals.transmit) * 1000;
    let choice = FACTORS.iter().position(|factor| longest <= MOST * factor * least_unit);
    let choice = choice.unwrap_or(FACTORS.len() - 1);
    let unit = least_unit * FACTORS.get(choice).unwrap_or(&1);
    let units = |microseconds: u32| (microseconds * 1000).div_ceil(unit).min(MOST) as u8;
    let mode = registers.read16(CPCR) & !INTT;
    registers.write16(CPCR, mode | choice as u16);
    let held_back =
        IntrMitigate::new().with_receive(units(intervals.receive)).with_transmit(units(intervals.transmit));
    registers.write16(INTRMITIGATE, held_back.into());
}
