//! Has the device test itself: by its registers, and by frames that it sends to itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hw::PciFunction;

use super::Engine;
use super::restart::PATIENCE;
use crate::driver::{Fault, Nic};
use crate::frame::{Frame, HEADER, MINIMUM};
use crate::mac::MacAddress;

/// Frames that a device sends to itself.
const FRAMES: usize = 32;

/// The longest of them, as far as the MTU allows it: Ethernet's own.
const LONGEST: usize = 1514;

/// After which time a frame that has not come back is sent once more. A device may receive nothing for a while once it
/// has been set up anew, and a loopback has nobody to keep frames: QEMU's e1000 receives nothing for a second after each
/// change of RCTL, and others of QEMU's for half a second while they negotiate.
const RESEND: Duration = Duration::from_millis(100);

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(3);

/// For experiments on a link (IEEE 802, 9.2.3).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];

/// A test that is under way: the frames that come back for those that were sent, one by one.
pub struct SelfTest {
    /// The station, which sends to itself.
    own: MacAddress,
    /// Bytes of the longest frame.
    longest: usize,
    /// What is known of the device otherwise.
    keeps_registers: bool,
    has_link: bool,
    /// How many frames have come back as they were.
    passed: usize,
    /// One has changed on the way.
    has_failed: bool,
    /// When the next frame is sent, or this one once more.
    send_at: Instant,
    give_up_at: Instant,
}

impl SelfTest {
    /// When something must be done for it next.
    pub fn deadline(&self) -> Instant {
        self.send_at.min(self.give_up_at)
    }

    /// The frame that is under way.
    fn frame(&self) -> Vec<u8> {
        self.frame_number(self.passed)
    }

    /// Frame `number` from the station to itself, whose bytes and length the number chooses.
    fn frame_number(&self, number: usize) -> Vec<u8> {
        let length = MINIMUM + number * self.longest.saturating_sub(MINIMUM) / (FRAMES - 1);
        let payload = (HEADER..length).map(|at| (at * 31 + number * 101) as u8);
        self.own.0.into_iter().chain(self.own.0).chain(ETHERTYPE).chain(payload).collect()
    }

    /// Takes a received frame, if it is one of those that were sent. One that comes twice, as it was sent twice, is left
    /// out the second time.
    fn take(&mut self, received: &[u8], now: Instant) -> bool {
        let sent = self.frame();
        if received.get(..HEADER) != sent.get(..HEADER) {
            return false;
        }
        let is_late = (0..self.passed).any(|number| received == self.frame_number(number));
        if received == sent {
            self.passed += 1;
            self.send_at = now;
        } else if !is_late {
            self.has_failed = true;
        }
        true
    }

    fn is_over(&self, now: Instant) -> bool {
        self.passed == FRAMES || self.has_failed || now >= self.give_up_at
    }

    /// What was found, as the `selftest` node tells it.
    fn result(&self, is_back: bool) -> String {
        let word = |passed| if passed { "pass" } else { "fail" };
        let loopback = word(self.passed == FRAMES && is_back);
        let (registers, link) = (word(self.keeps_registers), word(self.has_link));
        format!("registers {registers}\nloopback {loopback} {}/{FRAMES}\nlink {link}\n", self.passed)
    }
}

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Goes on with the self test that somebody has asked for. It begins once the device has sent what it has, or has had
    /// the time to; what is to be sent waits until it is over.
    pub(super) fn test_itself(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(running) = &mut self.running else { return Ok(()) };
        match &mut running.test {
            Some(test) if test.is_over(now) => self.end_test(now),
            Some(test) if now >= test.send_at => {
                test.send_at = now + RESEND;
                let bytes = test.frame();
                // Many devices have it back at once, and need not interrupt.
                running.polling = true;
                self.send_test_frame(&bytes);
                Ok(())
            }
            Some(_) => Ok(()),
            None if !self.port.borrow().requests.self_test => Ok(()),
            None if self.nic.unsent() > 0 && now < *running.restart_by.get_or_insert(now + PATIENCE) => {
                Ok(())
            }
            None => self.begin_test(now),
        }
    }

    fn begin_test(&mut self, now: Instant) -> Result<(), Fault> {
        self.update_link()?;
        let keeps_registers = self.nic.keeps_registers();
        // What it has not sent by now it never will, and its own frames would stand behind that.
        let can_loop = self.nic.unsent() == 0 && self.nic.set_loopback(true);
        let (own, longest, has_link) = {
            let port = self.port.borrow();
            (port.settings.mac, LONGEST.min(port.settings.mtu + HEADER), port.link.is_up())
        };
        let Some(running) = &mut self.running else { return Ok(()) };
        running.restart_by = None;
        running.test = Some(SelfTest {
            own,
            longest,
            keeps_registers,
            has_link,
            passed: 0,
            has_failed: !can_loop,
            send_at: now,
            give_up_at: now + LIMIT,
        });
        Ok(())
    }

    fn send_test_frame(&mut self, bytes: &[u8]) {
        // The device may still have the frame before; then it is tried again.
        self.nic.reclaim(&mut self.sent);
        self.sent.clear();
        let frame = Frame::from_bytes(&self.port.borrow().pools.test, bytes);
        let mut frames: VecDeque<_> = frame.into_iter().collect();
        self.nic.transmit(&mut frames);
    }

    /// Takes what has come back of the test's frames from among those that were received.
    pub(super) fn take_test_frames(&mut self) {
        let Some(test) = self.running.as_mut().and_then(|running| running.test.as_mut()) else { return };
        let now = self.port.borrow().now;
        self.received.retain(|frame| {
            let mut bytes = vec![0; frame.len()];
            frame.copy_to(&mut bytes);
            !test.take(&bytes, now)
        });
    }

    /// Tells what was found. The device is stopped and started, upon which nothing of the test is left in it.
    fn end_test(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(result) = self.abandon_test() else { return Ok(()) };
        log::info!("has tested itself: {}", result.trim_end().replace('\n', ", "));
        {
            let mut port = self.port.borrow_mut();
            port.requests.self_test = false;
            port.self_test = result;
            port.self_tests += 1;
        }
        self.restart(now)
    }

    /// Ends the test that is under way, if one is; what it has found.
    pub(super) fn abandon_test(&mut self) -> Option<String> {
        let test = self.running.as_mut()?.test.take()?;
        Some(test.result(self.nic.set_loopback(false)))
    }
}
