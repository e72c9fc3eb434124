//! What can be changed by a line of text.

use config::netd::{Address, Domain, Host, Mac, Metric, Mtu, Route, VlanId};
use ipnet::IpNet;

use crate::intent::Intent;
use crate::stack::interface::Interface;
use crate::stack::names::NameServer;
use crate::stack::{InterfaceId, Stack};

/// A change that was found to make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The Ethernet address that we send from.
    SetMac(InterfaceId, Mac),
    /// The longest IP packet, in bytes.
    SetMtu(InterfaceId, Mtu),
    /// The one address of its version; DHCP ends, unless it is the address already.
    SetAddress(InterfaceId, Address),
    /// An address more.
    AddAddress(InterfaceId, Address),
    /// An address less.
    RemoveAddress(InterfaceId, Address),
    /// Up or down, administratively.
    SetUp(InterfaceId, bool),
    /// A VLAN more.
    AddVlan(InterfaceId, VlanId),
    /// A VLAN less.
    RemoveVlan(InterfaceId, VlanId),
    /// The metric of the routes that have none of their own.
    SetMetric(InterfaceId, Metric),
    /// Whether the address comes by DHCP.
    SetDhcp(InterfaceId, bool),
    /// The lease is to be renewed now.
    RenewLease(InterfaceId),
    /// A route, in place of one to the same destination.
    AddRoute(InterfaceId, Route),
    /// The routes to a destination less, by one interface or all.
    RemoveRoute(IpNet, Option<InterfaceId>),
    /// Whom resolvers ask, unless that is so already.
    SetNameServer(Host),
    /// Whom resolvers ask before others.
    SetNameServers(Vec<Host>),
    /// Where they look for names without a dot before they look elsewhere.
    SetSearch(Vec<Domain>),
    /// What is on trial stays.
    Confirm,
}

impl Command {
    /// Makes the change: what is wanted is another thing from now on.
    pub fn carry_out(self, intent: &mut Intent, stack: &mut Stack) {
        match self {
            Self::SetMac(id, mac) => intent.edit(id, stack, |table| table.mac = Some(mac)),
            Self::SetMtu(id, mtu) => intent.edit(id, stack, |table| table.mtu = Some(mtu)),
            // Stock's `dhcpd` sets what our lease is of, and nobody else would renew it, or give it up when it is over.
            Self::SetAddress(id, address) if is_set(stack, id, address) => {}
            Self::SetAddress(id, address) => intent.edit(id, stack, |table| {
                let is_ipv4 = address.0.addr().is_ipv4();
                table.addresses.retain(|own| own.0.addr().is_ipv4() != is_ipv4);
                table.addresses.push(address);
                if is_ipv4 {
                    table.dhcp = Some(false);
                }
            }),
            Self::AddAddress(id, address) => intent.edit(id, stack, |table| {
                // DHCP goes on if it does.
                table.dhcp = Some(table.uses_dhcp());
                table.addresses.retain(|own| *own != address);
                table.addresses.push(address);
            }),
            Self::RemoveAddress(id, address) => intent.edit(id, stack, |table| {
                table.dhcp = Some(table.uses_dhcp());
                table.addresses.retain(|own| *own != address);
            }),
            Self::SetUp(id, up) => intent.edit(id, stack, |table| table.up = up),
            Self::AddVlan(id, vlan) => intent.edit(id, stack, |table| {
                table.vlan.retain(|other| *other != vlan);
                table.vlan.push(vlan);
            }),
            Self::RemoveVlan(id, vlan) => {
                intent.edit(id, stack, |table| table.vlan.retain(|other| *other != vlan));
            }
            Self::SetMetric(id, metric) => {
                intent.edit(id, stack, |table| table.metric = Some(metric));
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
            Self::AddRoute(id, route) if is_there(stack, id, &route) => {}
            Self::AddRoute(id, route) => intent.edit(id, stack, |table| {
                table.routes.retain(|other| other.to != route.to);
                table.routes.push(route);
            }),
            Self::RemoveRoute(destination, by) => {
                for id in by.map_or_else(|| stack.network.interface_ids().collect(), |id| vec![id]) {
                    intent.remove_route(id, destination, stack);
                    // That of a lease, or of an address.
                    stack.network.routes.remove(destination, id);
                }
                stack.revision += 1;
            }
            Self::Confirm => {
                intent.confirm();
            }
            // Stock's `dhcpd` sets what our lease names, which nobody would change when the lease is another one.
            Self::SetNameServer(Host(server))
                if stack.resolvers().first() == Some(&NameServer::anywhere(server)) => {}
            Self::SetNameServer(server) => intent.set_name_servers(vec![server]),
            Self::SetNameServers(servers) => intent.set_name_servers(servers),
            Self::SetSearch(domains) => intent.set_search(domains),
        }
        intent.follow(stack);
    }
}

fn is_set(stack: &Stack, id: InterfaceId, address: Address) -> bool {
    stack.network.interface(id).is_some_and(|interface| interface.has_only(address.0))
}

fn is_there(stack: &Stack, id: InterfaceId, route: &Route) -> bool {
    let (via, metric) = (route.via.map(|via| via.0), route.metric.map(|metric| metric.0));
    let said = (id, route.to, via, metric);
    stack.network.routes.iter().any(|own| (own.interface, own.destination, own.via, own.metric) == said)
}
