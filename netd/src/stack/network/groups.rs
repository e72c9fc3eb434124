//! Multicast groups: who is in them, and by which interface they are reached.

use std::collections::BTreeSet;
use std::net::IpAddr;

use smoltcp::wire::EthernetAddress;

use super::Network;
use crate::stack::datagram::Datagram;
use crate::stack::interface::Interface;
use crate::stack::routes::InterfaceId;

impl Network {
    /// Joins `group` on an interface, once more.
    pub fn join(&mut self, id: InterfaceId, group: IpAddr) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.join(group, self.now, &mut self.random);
        }
    }

    /// Takes one joining of `group` on an interface back.
    pub fn leave(&mut self, id: InterfaceId, group: IpAddr) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.leave(group, self.now, &mut self.random);
        }
    }

    /// Takes an IGMP message.
    pub fn receive_igmp(&mut self, id: InterfaceId, packet: &Datagram<'_>) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.receive_igmp(packet, self.now, &mut self.random);
        }
    }

    /// Sends the IGMP messages that are due.
    pub fn poll_igmp(&mut self, id: InterfaceId) {
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.poll_igmp(self.now, &mut self.random);
        }
    }

    /// The multicast groups that a NIC lets through: those of its interface and of its VLANs.
    pub fn groups(&self, id: InterfaceId) -> BTreeSet<EthernetAddress> {
        self.with_vlans(id).flat_map(|own| own.groups.ethernet()).collect()
    }

    /// Another number whenever [`groups`](Self::groups) are others.
    pub fn groups_version(&self, id: InterfaceId) -> u64 {
        self.with_vlans(id).map(|own| own.groups.version()).sum()
    }

    /// An interface and its VLANs.
    pub(crate) fn with_vlans(&self, id: InterfaceId) -> impl Iterator<Item = &Interface> {
        let vlans = self.vlans(id).map(|(_, id)| id);
        std::iter::once(id).chain(vlans).filter_map(|id| self.interfaces.get(&id))
    }
}
