//! What the DHCP clients want of the stack, and what becomes of their leases.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::wire::{ArpPacket, ArpRepr, EthernetAddress, IpProtocol, UdpPacket};

use super::datagram::Datagram;
use super::dhcp::{Action, CLIENT_PORT, Lease, Refusal, SERVER_PORT};
use super::interface::{Interface, Link};
use super::udp;
use super::{InterfaceId, Stack};

impl Stack {
    /// A DHCP server's message concerns the client before we have an address. Whether it was one.
    pub(super) fn receive_lease(
        &mut self,
        id: InterfaceId,
        datagram: &Datagram<'_>,
        sender: EthernetAddress,
    ) -> bool {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return false };
        let Link::Ethernet { dhcp: Some(dhcp), .. } = &mut interface.link else { return false };
        let Some(message) = answer(datagram) else { return false };
        let IpAddr::V4(server) = datagram.source else { return false };
        match dhcp.receive(server, message, now) {
            // A lease that is given back when the interface goes down cannot wait for ARP.
            Ok(()) => interface.meet(datagram.source, sender, now),
            Err(Refusal::NotOurs) => (),
            Err(Refusal::Malformed) => {
                interface.counters.dhcp_malformed += 1;
                log::debug!(
                    "{}: ignored a malformed DHCP message from {}",
                    interface.name(),
                    datagram.source
                );
            }
        }
        true
    }

    /// What another host says of its address: it may be one of ours, or one that a client asks for.
    pub(super) fn receive_claim(&mut self, id: InterfaceId, payload: &[u8]) {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        let Some(ArpRepr::EthernetIpv4 {
            source_hardware_addr,
            source_protocol_addr,
            target_protocol_addr,
            ..
        }) = ArpPacket::new_checked(payload).ok().and_then(|packet| ArpRepr::parse(&packet).ok())
        else {
            return;
        };
        if interface.ethernet_address().is_none_or(|own| own == source_hardware_addr) {
            return;
        }
        // One who probes has no address yet.
        let claimed = match source_protocol_addr.is_unspecified() {
            true => target_protocol_addr,
            false => source_protocol_addr,
        };
        if interface.has_address(source_protocol_addr.into()) {
            interface.counters.address_conflicts += 1;
            let may_defend = interface.claims.contest(now);
            if may_defend {
                log::warn!("{}: {source_hardware_addr} uses our address {claimed}", interface.name());
                interface.announce(claimed);
            }
            if let Link::Ethernet { dhcp: Some(dhcp), .. } = &mut interface.link
                && !may_defend
                && dhcp.lease().is_some_and(|lease| lease.address.addr() == claimed)
            {
                dhcp.conflict(now);
            }
        } else if let Link::Ethernet { dhcp: Some(dhcp), .. } = &mut interface.link {
            dhcp.receive_claim(claimed, now);
        }
    }

    /// Lets the client of an interface do what is due.
    pub(super) fn poll_dhcp(&mut self, id: InterfaceId) {
        let now = self.network.now;
        let Some(dhcp) = self.network.interface_mut(id).and_then(Interface::dhcp_mut) else { return };
        let actions = dhcp.poll(now);
        self.carry_out(id, actions);
    }

    /// Gives the lease of an interface back.
    pub fn release(&mut self, id: InterfaceId) {
        let now = self.network.now;
        let Some(dhcp) = self.network.interface_mut(id).and_then(Interface::dhcp_mut) else { return };
        let actions = dhcp.stop(now);
        self.carry_out(id, actions);
    }

    fn carry_out(&mut self, id: InterfaceId, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { message, from, to } => self.send_to_server(id, &message, from, to),
                Action::Probe(address) => {
                    if let Some(interface) = self.network.interface_mut(id) {
                        interface.probe(address);
                    }
                }
                Action::Use(lease, former) => self.use_lease(id, &lease, former.as_ref()),
                Action::Renewed => self.revision += 1,
                Action::Drop(lease) => self.lose_lease(id, &lease),
            }
        }
    }

    fn send_to_server(&mut self, id: InterfaceId, message: &[u8], from: Ipv4Addr, to: Ipv4Addr) {
        let (source, server) =
            (SocketAddr::new(from.into(), CLIENT_PORT), SocketAddr::new(to.into(), SERVER_PORT));
        self.network.send_from(id, to.into(), vec![udp::datagram(source, server, message)]);
    }

    fn use_lease(&mut self, id: InterfaceId, lease: &Lease, former: Option<&Lease>) {
        let name = self.network.interface(id).map_or("", Interface::name);
        log::info!("{name}: {} leased from {} for {} s", lease.address, lease.server, lease.duration);
        if let Some(former) = former.filter(|former| former.address != lease.address) {
            self.network.remove_address(id, former.address.into());
        }
        let own = lease.address.into();
        self.network.add_address(id, own);
        let routes = lease.routes.iter().map(|route| (route.destination.into(), route.via.map(IpAddr::from)));
        self.network.set_leased(id, own, routes);
        self.follow_mtu(id);
        self.revision += 1;
    }

    fn lose_lease(&mut self, id: InterfaceId, lease: &Lease) {
        let name = self.network.interface(id).map_or("", Interface::name);
        log::info!("{name}: the lease of {} is over", lease.address);
        self.network.remove_address(id, lease.address.into());
        self.follow_mtu(id);
        self.revision += 1;
    }
}

/// The DHCP message in a server's packet to a client.
fn answer<'a>(datagram: &Datagram<'a>) -> Option<&'a [u8]> {
    if datagram.protocol != IpProtocol::Udp {
        return None;
    }
    let udp = UdpPacket::new_checked(datagram.payload).ok()?;
    let is_answer = udp.src_port() == SERVER_PORT && udp.dst_port() == CLIENT_PORT;
    let is_whole = udp.verify_checksum(&datagram.source.into(), &datagram.destination.into());
    (is_answer && is_whole).then(|| udp.payload())
}
