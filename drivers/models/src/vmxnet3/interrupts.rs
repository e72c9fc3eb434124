//! When the device interrupts, and how.

use hw::InterruptKind;
use hw::fake::Bus;
use vmxnet3::registers::Events;
use vmxnet3::shared;

use super::Vmxnet3;

impl Vmxnet3 {
    /// Raises `events`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, events: Events) {
        let mut word = [0; 4];
        if self.active && bus.read(self.shared_at + shared::ECR as u64, &mut word) {
            let all = u32::from_le_bytes(word) | events.bits();
            bus.write(self.shared_at + shared::ECR as u64, &all.to_le_bytes());
        }
        self.interrupt(bus, 0);
    }

    /// There is something to tell by a vector.
    pub(super) fn interrupt(&mut self, bus: &mut Bus, vector: u16) {
        self.pending[usize::from(vector)] = true;
        self.drive(bus);
    }

    /// A message is sent once; the line stays up until its cause was read.
    pub(super) fn drive(&mut self, bus: &mut Bus) {
        if self.faults.stuck {
            return bus.raise(0);
        }
        let mut lower = true;
        for vector in 0..shared::QUEUES {
            if self.pending[vector] && !self.masks[vector] && !self.faults.mute {
                lower = false;
                bus.raise(vector as u16);
                self.pending[vector] = self.kinds == [InterruptKind::Intx];
            }
        }
        if lower {
            bus.lower();
        }
    }
}
