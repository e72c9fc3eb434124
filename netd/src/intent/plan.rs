//! The way from one intention to another: which steps, in which order.

use config::netd::{Address, Filter, Interface, Mac, Mtu, Panel, Route, Setting, VlanId};

/// One change of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Up or down.
    Up(bool),
    /// DHCP on or off.
    Dhcp(bool),
    /// An address less.
    RemoveAddress(Address),
    /// A route less.
    RemoveRoute(Route),
    /// The longest packet, or the driver's own.
    Mtu(Option<Mtu>),
    /// The Ethernet address, or the NIC's own.
    Mac(Option<Mac>),
    /// A VLAN more.
    AddVlan(VlanId),
    /// A VLAN less.
    RemoveVlan(VlanId),
    /// What the NIC lets through.
    Filter(Filter),
    /// A setting of the driver's, or the driver's own.
    Set(Panel, String, Option<Setting>),
    /// The metric of routes that say none.
    Metric(u32),
}

/// The steps from `before` to `after`: what goes first, then the link, then what comes, and packets move last.
/// Addresses and routes that are wanted are no steps: they are looked after all the time.
pub fn plan(before: &Interface, after: &Interface) -> Vec<Step> {
    let mut steps = Vec::new();
    if before.up && !after.up {
        steps.push(Step::Up(false));
    }
    // A route with another metric is another route.
    let gone = |route: &&Route| !after.routes.contains(route) || before.metric != after.metric;
    steps.extend(before.routes.iter().filter(gone).copied().map(Step::RemoveRoute));
    steps.extend(missing(&before.addresses, &after.addresses).map(Step::RemoveAddress));
    if before.uses_dhcp() && !after.uses_dhcp() {
        steps.push(Step::Dhcp(false));
    }
    steps.extend(missing(&before.vlan, &after.vlan).map(Step::RemoveVlan));
    steps.extend(link(before, after));
    steps.extend(missing(&after.vlan, &before.vlan).map(Step::AddVlan));
    if before.metric != after.metric {
        steps.push(Step::Metric(after.metric.map_or(0, |metric| metric.0)));
    }
    if !before.uses_dhcp() && after.uses_dhcp() {
        steps.push(Step::Dhcp(true));
    }
    if !before.up && after.up {
        steps.push(Step::Up(true));
    }
    steps
}

/// What concerns the driver.
fn link(before: &Interface, after: &Interface) -> Vec<Step> {
    let mut steps = Vec::new();
    if before.mac != after.mac {
        steps.push(Step::Mac(after.mac));
    }
    if before.mtu != after.mtu {
        steps.push(Step::Mtu(after.mtu));
    }
    if before.filter != after.filter {
        steps.push(Step::Filter(after.filter));
    }
    steps.extend(Panel::ALL.into_iter().flat_map(|panel| settings(panel, before, after)));
    steps
}

fn settings(panel: Panel, before: &Interface, after: &Interface) -> Vec<Step> {
    let (before, after) = (before.settings(panel), after.settings(panel));
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name, None));
    let set = after.iter().filter(|(name, setting)| before.get(*name) != Some(*setting));
    let set = set.map(|(name, setting)| (name, Some(*setting)));
    gone.chain(set).map(|(name, setting)| Step::Set(panel, name.clone(), setting)).collect()
}

/// Those of `some` that are not among `others`.
fn missing<'a, T: Copy + PartialEq>(some: &'a [T], others: &'a [T]) -> impl Iterator<Item = T> + use<'a, T> {
    some.iter().filter(|one| !others.contains(one)).copied()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::netd::Match;

    use super::*;

    /// A table for eth0 with these lines.
    fn interface(lines: &str) -> Interface {
        let text = format!("[[interface]]\nmatch.name = 'eth0'\n{lines}");
        config::netd::parse(Path::new("netd.toml"), &text).unwrap().interfaces.remove(0)
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_done_for_what_is_so_already() {
        let full =
            interface("addresses = ['10.0.0.2/24']\nmtu = 1400\nmac = '52:54:00:00:00:01'\nvlan = [10]");
        assert_eq!(plan(&full, &full), []);
        assert_eq!(plan(&Interface::new(Match::by_name("eth0")), &interface("")), []);
    }

    #[test]
    fn a_new_interface_is_brought_to_its_table() {
        let before = interface("");
        let after = interface(
            "addresses = ['10.0.0.2/24', 'fd00::2/64']\nmtu = 1400\nmetric = 5\nvlan = [10]\nfilter.promisc = true\n\
             features = { tso = false }\nroutes = [{ to = 'default', via = '10.0.0.1' }]",
        );
        assert_eq!(
            plan(&before, &after),
            [
                Step::Dhcp(false),
                Step::Mtu(after.mtu),
                Step::Filter(Filter { promisc: true, allmulti: false }),
                Step::Set(Panel::Features, "tso".to_owned(), Some(Setting::Switch(false))),
                Step::AddVlan(after.vlan[0]),
                Step::Metric(5),
            ]
        );
    }

    #[test]
    fn the_way_back_undoes_it() {
        let after = interface("");
        let before = interface(
            "addresses = ['10.0.0.2/24']\nmac = '52:54:00:00:00:01'\nvlan = [10]\ncoalesce = { rx-usecs = 9 }\n\
             routes = [{ to = 'default', via = '10.0.0.1' }]",
        );
        assert_eq!(
            plan(&before, &after),
            [
                Step::RemoveRoute(before.routes[0]),
                Step::RemoveAddress(address("10.0.0.2/24")),
                Step::RemoveVlan(before.vlan[0]),
                Step::Mac(None),
                Step::Set(Panel::Coalesce, "rx-usecs".to_owned(), None),
                Step::Dhcp(true),
            ]
        );
    }

    #[test]
    fn what_stays_is_left_alone() {
        let before = interface(
            "addresses = ['10.0.0.2/24', '10.0.0.3/24']\nroutes = [{ to = '10.1.0.0/16', via = '10.0.0.1' }]",
        );
        let after =
            interface("addresses = ['10.0.0.3/24']\nroutes = [{ to = '10.1.0.0/16', via = '10.0.0.1' }]");
        assert_eq!(plan(&before, &after), [Step::RemoveAddress(address("10.0.0.2/24"))]);
    }

    #[test]
    fn packets_move_last_and_stop_first() {
        let (up, down) = (interface("mtu = 1400"), interface("up = false\nmtu = 1500"));
        assert_eq!(plan(&up, &down), [Step::Up(false), Step::Mtu(down.mtu)]);
        assert_eq!(plan(&down, &up), [Step::Mtu(up.mtu), Step::Up(true)]);
    }

    #[test]
    fn routes_change_with_the_metric_that_they_take_over() {
        let routes = "routes = [{ to = '10.1.0.0/16', via = '10.0.0.1' }]";
        let (before, after) = (interface(routes), interface(&format!("{routes}\nmetric = 7")));
        assert_eq!(plan(&before, &after), [Step::RemoveRoute(before.routes[0]), Step::Metric(7)]);
    }
}
