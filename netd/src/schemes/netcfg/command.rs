//! What can be changed by a line of text.

use std::net::IpAddr;

use config::netd::{Address, Mac, Metric, Route};
use ipnet::IpNet;
use smoltcp::wire::EthernetAddress;

use crate::intent::Intent;
use crate::stack::interface::Interface;
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
    /// A route, in place of one to the same destination.
    AddRoute(InterfaceId, Route),
    /// A route less.
    RemoveRoute(IpNet),
    /// Whom resolvers ask.
    SetNameServer(IpAddr),
    /// What is on trial stays.
    Confirm,
}

impl Command {
    /// Makes the change: what is wanted is another thing from now on.
    pub fn carry_out(self, intent: &mut Intent, stack: &mut Stack) {
        match self {
            Self::SetMac(id, mac) => intent.edit(id, stack, |table| table.mac = Some(Mac(mac.0))),
            // Stock's `dhcpd` sets the address that our lease is of, and nobody else would renew it.
            Self::SetAddress(id, address) if is_set(stack, id, address) => {}
            Self::SetAddress(id, address) => intent.edit(id, stack, |table| {
                table.addresses.retain(|own| own.0.addr().is_ipv4() != address.addr().is_ipv4());
                table.addresses.push(Address(address));
                if address.addr().is_ipv4() {
                    table.dhcp = Some(false);
                }
            }),
            Self::SetUp(id, up) => intent.edit(id, stack, |table| table.up = up),
            Self::SetMetric(id, metric) => {
                intent.edit(id, stack, |table| table.metric = Some(Metric(metric)));
            }
            Self::SetDhcp(id, on) => intent.edit(id, stack, |table| {
                table.dhcp = Some(on);
                if on {
                    table.addresses.retain(|own| !own.0.addr().is_ipv4());
                }
            }),
            Self::RenewLease(id) => {
                let now = stack.network.now;
                if let Some(dhcp) = stack.network.interface_mut(id).and_then(Interface::dhcp_mut) {
                    dhcp.renew(now);
                }
            }
            Self::AddRoute(id, route) => intent.edit(id, stack, |table| {
                table.routes.retain(|other| other.to != route.to);
                table.routes.push(route);
            }),
            Self::RemoveRoute(destination) => {
                intent.remove_route(destination, stack);
                // That of a lease, or of an address.
                stack.network.routes.remove(destination);
                stack.revision += 1;
            }
            Self::Confirm => {
                intent.confirm();
            }
            Self::SetNameServer(server) => intent.set_name_server(server),
        }
        intent.follow(stack);
    }
}

fn is_set(stack: &Stack, id: InterfaceId, address: IpNet) -> bool {
    stack.network.interface(id).is_some_and(|interface| interface.has_only(address))
}
