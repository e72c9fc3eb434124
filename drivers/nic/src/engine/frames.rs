//! Frames on their way between the port and the device.

use std::time::Instant;

use hw::PciFunction;

use super::Engine;
use crate::driver::Nic;
use crate::features::Features;
use crate::frame::Class;
use crate::memory::BUDGET;

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Takes at most one budget of received frames to the port; how many there were.
    pub(super) fn receive(&mut self) -> usize {
        self.nic.receive(BUDGET, &mut self.received);
        let count = self.received.len();
        self.take_test_frames();
        let mut port = self.port.borrow_mut();
        for mut frame in self.received.drain(..) {
            frame.classify(port.settings.mac);
            if !port.settings.features.contains(Features::RX_CHECKSUM) {
                frame.metadata.disregard_checksum();
            }
            if !port.settings.features.contains(Features::RX_VLAN) {
                frame.put_tag_in();
            }
            let (packets, bytes) = frame.on_the_wire();
            port.statistics.count_received(frame.metadata.queue, packets, bytes);
            port.statistics.multicast += u64::from(frame.metadata.class == Class::Multicast);
            port.received.push_back(frame);
        }
        count
    }

    /// Takes back the frames that the device has sent.
    pub(super) fn reclaim(&mut self, now: Instant) {
        let Some(running) = &mut self.running else { return };
        self.nic.reclaim(&mut self.sent);
        if self.sent.is_empty() {
            return;
        }
        running.progress = now;
        running.ring_full = false;
        if running.test.is_some() {
            return self.sent.clear();
        }
        let mut port = self.port.borrow_mut();
        for frame in self.sent.drain(..) {
            let (packets, bytes) = frame.on_the_wire();
            port.statistics.tx_packets += packets;
            port.statistics.tx_bytes += bytes;
        }
    }

    /// Gives the device the frames that wait in the port, if it can send them.
    pub(super) fn transmit(&mut self, now: Instant) {
        let Some(running) = &mut self.running else { return };
        {
            let mut port = self.port.borrow_mut();
            if port.transmit.is_empty() || !port.link.is_up() || !running.takes_frames() {
                return;
            }
            if self.nic.unsent() == 0 {
                running.progress = now;
            }
            self.nic.transmit(&mut port.transmit);
            running.ring_full = !port.transmit.is_empty();
        }
        // Many devices have sent it by now, and the next writer finds the buffers free.
        self.reclaim(now);
    }

    /// Has interrupts tell of sent frames while that is news to somebody: to one who waits for room, or who closes.
    pub(super) fn follow_senders(&mut self) {
        let Some(running) = &mut self.running else { return };
        let wanted = {
            let port = self.port.borrow();
            port.users == 0
                || running.restart_by.is_some()
                || !port.transmit.is_empty()
                || !port.pools.transmit.is_half_free()
        };
        if wanted != running.tells_sent {
            running.tells_sent = wanted;
            self.nic.tell_sent(wanted);
            // The device is asked once more before its interrupts are enabled with or without that.
            running.polling |= wanted;
        }
    }
}
