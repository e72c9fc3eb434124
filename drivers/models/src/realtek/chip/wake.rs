//! What wakes the machine.

use hw::fake::Bus;
use realtek::registers::Cr;
use realtek::wake::CONFIG1;

use super::{Chip, Kind};
use crate::packets::is_magic;

/// PMEn of CONFIG1, Magic of CONFIG3 and LANWake of CONFIG5.
const PM_EN: u8 = 1 << 0;
const MAGIC: u8 = 1 << 5;
const LAN_WAKE: u8 = 1 << 1;

impl<K: Kind> Chip<K> {
    /// Signals a magic packet for its address in a frame that it would receive, if it is told to.
    pub(super) fn look_for_magic(&self, bus: &mut Bus, frame: &[u8]) {
        let [config3, config5] = K::CONFIG;
        let is_armed = [(CONFIG1, PM_EN), (config3, MAGIC), (config5, LAN_WAKE)]
            .into_iter()
            .all(|(register, bit)| self.bytes[register] & bit != 0);
        let looks = is_armed && K::knows_magic(self) && self.link_up && self.command().contains(Cr::RE);
        let fits = frame.len() + 4 <= K::longest(self) && self.accepts(frame);
        if looks && fits && is_magic(frame, |address| address == &self.bytes[..6]) {
            bus.signal_wake();
        }
    }
}
