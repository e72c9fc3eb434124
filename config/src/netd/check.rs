//! What makes no sense as a whole, though each value does.

use std::fmt::Display;

use super::{Config, Host, Interface};

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which table.
    pub interface: usize,
    /// Which of its keys.
    pub key: &'static str,
    /// Which of the key's values.
    pub item: usize,
    /// Why.
    pub reason: String,
}

/// The first thing that is wrong, if there is one.
pub fn first_problem(config: &Config) -> Option<Problem> {
    config.interfaces.iter().enumerate().find_map(|(position, interface)| {
        let (key, item, reason) = problem_of(interface)?;
        Some(Problem { interface: position, key, item, reason })
    })
}

fn problem_of(interface: &Interface) -> Option<(&'static str, usize, String)> {
    let of = |key| move |(item, reason)| (key, item, reason);
    let addresses = repetition(&interface.addresses).map(of("addresses"));
    let vlans = repetition(&interface.vlan).map(of("vlan"));
    addresses.or(vlans).or_else(|| lost_route(interface).map(of("routes")))
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
