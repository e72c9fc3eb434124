//! What the device has done, on its way to those who wait for it.

use scheme::EventFlags;
use scheme::pcapng::Direction;

use super::{Content, Handle, NetworkScheme};
use crate::node::Node;
use crate::port::Port;

impl NetworkScheme {
    /// Brings what the device has done to those who wait for it: received frames, room to send, a new state of
    /// the link, a report.
    pub fn deliver(&mut self) {
        self.deliver_frames();
        self.write_streams();
        self.read_streams();
        self.tell_of_room();
        let (link, report, tests, is_captured) = {
            let mut port = self.port.borrow_mut();
            port.congested = self.taps.is_congested().then_some(self.last_read);
            port.reading = self.taps.are_all_behind().then_some(self.last_read);
            (port.link, port.report_made, port.self_tests, port.captures.take_news())
        };
        if is_captured {
            self.post_to(EventFlags::EVENT_READ, |handle| matches!(handle.content, Content::Capture(_)));
        }
        if link != self.told_link {
            self.told_link = link;
            self.post_to(EventFlags::EVENT_READ, |handle| handle.node == Node::Link);
        }
        if tests != self.told_tests {
            self.told_tests = tests;
            self.post_to(EventFlags::EVENT_READ, |handle| handle.node == Node::SelfTest);
        }
        if report != self.told_report {
            self.told_report = report;
            self.post_to(
                EventFlags::EVENT_READ,
                |handle| matches!(&handle.content, Content::Attribute(attribute) if attribute.report.is_some()),
            );
        }
    }

    fn deliver_frames(&mut self) {
        let mut port = self.port.borrow_mut();
        if port.received.is_empty() {
            return;
        }
        let Port { captures, received, now, .. } = &mut *port;
        received.iter().for_each(|frame| captures.record(Direction::Received, frame, *now));
        let count = port.received.len() as u64;
        if self.taps.readers() == 0 {
            port.statistics.rx_nohandler += count;
            port.received.clear();
            return;
        }
        let lost: u64 = port.received.drain(..).map(|frame| self.taps.push(frame)).sum();
        port.statistics.tap_dropped += lost;
        let now = port.now;
        drop(port);
        self.post_to(EventFlags::EVENT_READ, |handle| {
            matches!(handle.content, Content::Frames { tap: Some(_), .. })
        });
        if lost > 0
            && let Some(lost) = self.losses.tell(lost, now)
        {
            log::warn!("{lost} received frames were lost by readers that did not keep up");
        }
    }

    fn tell_of_room(&mut self) {
        if !self.room_wanted || !self.has_room() {
            return;
        }
        self.room_wanted = false;
        for (id, handle) in &mut self.handles {
            if let Content::Frames { wants_room, .. } = &mut handle.content
                && std::mem::take(wants_room)
            {
                self.notifier.post(id, EventFlags::EVENT_WRITE);
            }
        }
    }

    fn post_to(&self, flags: EventFlags, concerns: impl Fn(&Handle) -> bool) {
        for (id, _) in self.handles.iter().filter(|(_, handle)| concerns(handle)) {
            self.notifier.post(id, flags);
        }
    }
}
