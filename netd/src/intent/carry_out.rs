//! How a step is done, and how what is wanted is kept.

use std::net::IpAddr;

use config::netd;
use ipnet::IpNet;
use smoltcp::wire::EthernetAddress;

use super::plan::Step;
use crate::stack::routes::Route;
use crate::stack::{InterfaceId, Stack};

/// Does one step for an interface.
pub fn step(step: &Step, id: InterfaceId, stack: &mut Stack) {
    match step {
        Step::Up(up) => stack.set_up(id, *up),
        Step::Dhcp(on) => stack.set_dhcp(id, *on),
        Step::RemoveAddress(address) => stack.network.remove_address(id, address.0),
        Step::RemoveRoute(route) => {
            let (via, metric) = way(route);
            // Whatever address it is sent from.
            let source = route.to.addr();
            stack.network.routes.remove_one(&Route { via, metric, ..Route::attached(route.to, id, source) });
        }
        Step::Metric(metric) => stack.set_metric(id, *metric),
        Step::Mac(wanted) => stack.set_ethernet_address(id, wanted.map(|mac| EthernetAddress(mac.0))),
        Step::Mtu(wanted) => stack.set_mtu(id, wanted.map(|mtu| usize::from(mtu.get()))),
        Step::Filter(filter) => stack.set_filter(id, filter.promisc, filter.allmulti),
        Step::AddVlan(vlan) => stack.add_vlan(id, vlan.get()),
        Step::RemoveVlan(vlan) => stack.remove_vlan(id, vlan.get()),
        Step::Set(panel, name, setting) => stack.set_setting(id, *panel, name, *setting),
    }
}

/// Adds the addresses and routes that are wanted and not there: not yet, or not any more.
pub fn keep(wanted: &netd::Interface, id: InterfaceId, stack: &mut Stack) {
    for address in &wanted.addresses {
        let has = |own: &IpNet| *own == address.0;
        if !stack.network.interface(id).is_some_and(|interface| interface.addresses.iter().any(has)) {
            stack.network.add_address(id, address.0);
        }
    }
    for route in &wanted.routes {
        let (via, metric) = way(route);
        stack.network.add_route(id, route.to, via, metric);
    }
}

fn way(route: &netd::Route) -> (Option<IpAddr>, Option<u32>) {
    (route.via.map(|via| via.0), route.metric.map(|metric| metric.0))
}
