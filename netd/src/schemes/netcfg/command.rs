//! What can be changed by a line of text.

use std::net::IpAddr;

use ipnet::IpNet;
use smoltcp::wire::EthernetAddress;

use crate::stack::interface::{Interface, Link};
use crate::stack::{InterfaceId, Stack};

/// A change that was found to make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The Ethernet address that we send from.
    SetMac(InterfaceId, EthernetAddress),
    /// The one address of its version; DHCP ends, unless it is the address already.
    SetAddress(InterfaceId, IpNet),
    /// Up or down, administratively.
    SetUp(InterfaceId, bool),
    /// The metric of the routes that have none of their own.
    SetMetric(InterfaceId, u32),
    /// Whether the address comes by DHCP.
    SetDhcp(InterfaceId, bool),
    /// The lease is to be renewed now.
    RenewLease(InterfaceId),
    /// A route by a router.
    AddRoute(IpNet, IpAddr),
    /// A route less.
    RemoveRoute(IpNet),
    /// Whom resolvers ask.
    SetNameServer(IpAddr),
}

impl Command {
    /// Makes the change.
    pub fn carry_out(self, stack: &mut Stack) {
        match self {
            Self::SetMac(id, mac) => {
                if let Some(Link::Ethernet { address, .. }) =
                    stack.network.interface_mut(id).map(|interface| &mut interface.link)
                {
                    *address = Some(mac);
                }
            }
            // Stock's `dhcpd` sets the address that our lease is of, and nobody else would renew it.
            Self::SetAddress(id, address) if is_set(stack, id, address) => {}
            Self::SetAddress(id, address) => {
                if address.addr().is_ipv4() {
                    stack.set_dhcp(id, false);
                }
                stack.network.set_address(id, address);
            }
            Self::SetUp(id, up) => stack.set_up(id, up),
            Self::SetMetric(id, metric) => stack.set_metric(id, metric),
            Self::SetDhcp(id, on) => {
                if on && stack.network.interface(id).is_some_and(|interface| interface.dhcp().is_none()) {
                    stack.network.clear_addresses(id, true);
                }
                stack.set_dhcp(id, on);
            }
            Self::RenewLease(id) => {
                let now = stack.network.now;
                if let Some(dhcp) = stack.network.interface_mut(id).and_then(Interface::dhcp_mut) {
                    dhcp.renew(now);
                }
            }
            Self::AddRoute(destination, via) => {
                if let Err(error) = stack.network.add_route(destination, via) {
                    log::warn!("netcfg: the route to {destination} was not added: {error}");
                }
            }
            Self::RemoveRoute(destination) => {
                stack.network.routes.remove(destination);
            }
            Self::SetNameServer(server) => stack.name_servers = vec![server],
        }
        stack.revision += 1;
    }
}

fn is_set(stack: &Stack, id: InterfaceId, address: IpNet) -> bool {
    stack.network.interface(id).is_some_and(|interface| interface.has_only(address))
}
