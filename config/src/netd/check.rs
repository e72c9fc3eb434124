//! What makes no sense as a whole, though each value does.

use std::fmt::Display;

use super::{Config, Filter, Host, Interface, Panel, VlanId};

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which table; none for the keys before them.
    pub interface: Option<usize>,
    /// Which of its keys.
    pub key: &'static str,
    /// Which of the key's values, if it has several.
    pub item: Option<usize>,
    /// Why.
    pub reason: String,
}

/// The first thing that is wrong, if there is one.
pub fn first_problem(config: &Config) -> Option<Problem> {
    let of_interfaces = || {
        config.interfaces.iter().enumerate().find_map(|(position, interface)| {
            let (key, item, reason) = problem_of(interface)?;
            Some(Problem { interface: Some(position), key, item, reason })
        })
    };
    server_without_link(config).or_else(of_interfaces).or_else(|| wrong_name(config))
}

/// A name that cannot be given: it would be chosen by itself, or is another NIC's.
fn wrong_name(config: &Config) -> Option<Problem> {
    let problem = |(position, interface): (usize, &Interface)| {
        let name = interface.name.as_ref()?;
        let reason = match interface.matches.name {
            Some(_) => {
                "a NIC is given its name by `match.mac` or `match.driver`, without `match.name`".to_owned()
            }
            None if config.names().filter(|other| *other == name).count() > 1 => {
                format!("two tables give the name {name}")
            }
            None => return None,
        };
        Some(Problem { interface: Some(position), key: "name", item: None, reason })
    };
    config.interfaces.iter().enumerate().find_map(problem)
}

fn server_without_link(config: &Config) -> Option<Problem> {
    let (item, server) = config.dns.iter().enumerate().find(|(_, server)| server.is_link_local())?;
    let reason = format!("{server} is another host on each link: say it in the table of its interface");
    Some(Problem { interface: None, key: "dns", item: Some(item), reason })
}

fn problem_of(interface: &Interface) -> Option<(&'static str, Option<usize>, String)> {
    let of = |key| move |(item, reason)| (key, Some(item), reason);
    let addresses = repetition(&interface.addresses).map(of("addresses"));
    let vlans = repetition(&interface.vlan).map(of("vlan"));
    let routes = addresses.or(vlans).or_else(|| lost_route(interface).map(of("routes")));
    routes.or_else(|| wrong_on_vlan(interface).map(|(key, reason)| (key, None, reason)))
}

/// What a VLAN, which is no NIC, cannot have of its own. A table for several interfaces is for the NICs among them.
fn wrong_on_vlan(interface: &Interface) -> Option<(&'static str, String)> {
    let name = interface.matches.name.as_deref()?;
    let (carrier, number) = name.rsplit_once('.')?;
    number.parse::<VlanId>().ok().filter(|_| !name.contains('*'))?;
    let Interface { mac, vlan, filter, .. } = interface;
    let given =
        [("mac", mac.is_some()), ("vlan", !vlan.is_empty()), ("filter", *filter != Filter::default())];
    let settings = Panel::ALL.map(|panel| (panel.name(), !interface.settings(panel).is_empty()));
    let (key, _) = given.into_iter().chain(settings).find(|(_, is_given)| *is_given)?;
    Some((key, format!("{name} is a VLAN, whose `{key}` is that of {carrier}: say it there")))
}

fn repetition<T: PartialEq + Display>(values: &[T]) -> Option<(usize, String)> {
    let mut numbered = values.iter().enumerate();
    let (item, value) =
        numbered.find(|(item, value)| values.iter().take(*item).any(|before| before == *value))?;
    Some((item, format!("{value} stands here twice")))
}

/// A route by a router that none of the interface's networks has. What DHCP and IPv6's routers will say is not
/// known here.
fn lost_route(interface: &Interface) -> Option<(usize, String)> {
    let is_lost = |router: Host| {
        router.0.is_ipv4()
            && !interface.uses_dhcp()
            && !interface.addresses.iter().any(|address| address.0.contains(&router.0))
    };
    interface.routes.iter().enumerate().find_map(|(item, route)| {
        let router = route.via.filter(|router| is_lost(*router))?;
        Some((item, format!("the router {router} is in no network of this interface's addresses")))
    })
}
