//! VLANs (IEEE 802.1Q): interfaces whose frames travel with a tag among those of another interface.

use smoltcp::wire::{ETHERNET_HEADER_LEN, EthernetProtocol};

use config::filter::LinkType;
use scheme::vlan::{ETHERTYPE, NUMBER};

use super::{InterfaceId, Stack};

/// What stands in place of the type of a tagged frame, and before its tag.
pub const TAGGED: EthernetProtocol = EthernetProtocol::Unknown(ETHERTYPE);
/// Where the tag stands, behind both addresses.
const TAG_AT: usize = 12;

/// The VLAN that a tag names. One that has a priority alone names none, as if there were no tag: 0.
pub fn number(tag: Option<u16>) -> u16 {
    tag.unwrap_or_default() & NUMBER
}

impl Stack {
    /// Adds the interface `<parent>.<number>` for a VLAN, unless there is one.
    pub fn add_vlan(&mut self, parent: InterfaceId, number: u16) {
        let Some(name) = self.network.interface(parent).map(|own| format!("{}.{number}", own.name())) else {
            return;
        };
        if self.network.vlan(parent, number).is_none() {
            self.network.add_vlan(parent, number, name);
            self.follow_vlans(parent);
            self.revision += 1;
        }
    }

    /// Removes a VLAN's interface, with its addresses and routes. Its lease is given back.
    pub fn remove_vlan(&mut self, parent: InterfaceId, number: u16) {
        let Some(id) = self.network.vlan(parent, number) else { return };
        self.release(id);
        self.collect_tagged(parent);
        self.network.remove_vlan(parent, number);
        self.revision += 1;
    }

    /// Brings the VLANs of an interface to its state: they have its Ethernet address, its MTU and its link.
    pub(super) fn follow_vlans(&mut self, parent: InterfaceId) {
        let Some(own) = self.network.interface(parent) else { return };
        let (carries, address, mtu) = (own.carries(), own.ethernet_address(), own.mtu());
        let (makes_segments, now) = (own.makes_segments(), self.network.now);
        for id in self.network.vlans(parent).map(|(_, id)| id).collect::<Vec<_>>() {
            let seed = self.network.random.next_u64();
            let Some(vlan) = self.network.interface_mut(id) else { continue };
            vlan.set_segments(makes_segments, seed, now);
            let (was_running, former) = (vlan.running, (vlan.ethernet_address(), vlan.link_mtu));
            match address {
                Some(address) if carries && !was_running => self.link_up(id, address, mtu),
                Some(address) if former != (Some(address), mtu) => self.attach(id, address, mtu),
                _ => (),
            }
            if !carries {
                self.link_down(id);
            }
        }
    }

    /// Takes a frame with a tag in it. If another was taken `off` before it (IEEE 802.1ad), the frame is nobody's.
    pub(super) fn receive_tagged(&mut self, id: InterfaceId, frame: &[u8], off: Option<u16>, is_good: bool) {
        let Some((&tag, payload)) =
            frame.get(ETHERNET_HEADER_LEN..).and_then(|rest| rest.split_first_chunk::<2>())
        else {
            return self.count_error(id);
        };
        if off.is_some() {
            return self.count_unwanted(id);
        }
        let addresses = frame.get(..TAG_AT).unwrap_or_default();
        let untagged = [addresses, payload].concat();
        self.receive_counted(id, &untagged, Some(u16::from_be_bytes(tag)), is_good);
    }

    /// Takes a frame of a VLAN, without its tag.
    pub(super) fn receive_of_vlan(&mut self, id: InterfaceId, number: u16, frame: &[u8], is_good: bool) {
        match self.network.vlan(id, number) {
            Some(vlan) => self.receive_checked(vlan, frame, None, is_good),
            None => self.count_unwanted(id),
        }
    }

    fn count_unwanted(&mut self, id: InterfaceId) {
        if let Some(interface) = self.network.interface_mut(id) {
            interface.counters.rx_dropped += 1;
        }
    }

    /// Gives the frames of an interface's VLANs their tags, and queues them for its driver: one of each VLAN in turn, so
    /// that a busy one leaves room for the others.
    pub(super) fn collect_tagged(&mut self, parent: InterfaceId) {
        let Some(last) = self.network.interface(parent).map(|own| own.last_vlan) else { return };
        let mut vlans: Vec<_> = self.network.vlans(parent).collect();
        let next = vlans.partition_point(|(number, _)| *number <= last);
        vlans.rotate_left(next);
        while !vlans.is_empty() {
            vlans.retain(|(number, id)| self.collect_one(parent, *number, *id));
        }
    }

    /// Queues one frame of a VLAN; whether there was one, and room for it.
    fn collect_one(&mut self, parent: InterfaceId, number: u16, id: InterfaceId) -> bool {
        let now = self.network.now;
        let has_room = self.network.room(parent) > 0;
        let Some(vlan) = self.network.interface_mut(id).filter(|_| has_room) else { return false };
        let Some(frame) = vlan.queue.pop_front() else { return false };
        let mut frame = vlan.captures.record_sent(LinkType::Ethernet, frame, now);
        let Some(interface) = self.network.interface_mut(parent) else { return false };
        interface.last_vlan = number;
        frame.set_tag(number);
        interface.enqueue(frame);
        true
    }
}
