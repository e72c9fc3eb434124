//! What the administrator wants of the network, and how the stack is brought to it and kept there.

mod carry_out;
mod naming;
mod plan;
mod trial;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use config::netd::{Address, Candidate, Config, Domain, Host, Interface, Mac, Match};
use ipnet::IpNet;
use smoltcp::time::Duration;

use self::plan::plan;
use self::trial::Trial;
use crate::stack::names::NameServer;
use crate::stack::{Instant, InterfaceId, Stack, interface};

/// The intended configuration.
pub struct Intent {
    config: Config,
    trial: Option<Trial>,
    known: BTreeMap<InterfaceId, Known>,
    /// The stack's revision when it was last brought here; none if something else is wanted since.
    followed: Option<u64>,
}

/// What is remembered of an interface.
struct Known {
    /// The NIC's own address.
    mac: Option<Mac>,
    /// The last driver, since nothing else is wanted of an interface because its driver is gone.
    driver: Option<String>,
    /// The name that it is to have, and that another one had when it was last to get it.
    missed: Option<String>,
    /// What it was last brought to.
    applied: Interface,
}

impl Known {
    /// A new interface: up, with DHCP, as the stack makes them.
    fn new(name: &str) -> Self {
        Self { mac: None, driver: None, missed: None, applied: Interface::new(Match::by_name(name)) }
    }

    /// Looks at the interface as it is.
    fn update(&mut self, interface: &interface::Interface) {
        if interface.driver.is_some() {
            self.driver.clone_from(&interface.driver);
        }
        if let Some(own) = interface.own_address {
            self.mac = Some(Mac(own.0));
        }
    }

    fn candidate<'a>(&'a self, name: &'a str) -> Candidate<'a> {
        Candidate { name, mac: self.mac, driver: self.driver.as_deref() }
    }
}

impl Intent {
    /// `config` is wanted from the start.
    pub fn new(config: Config) -> Self {
        Self { config, trial: None, known: BTreeMap::new(), followed: None }
    }

    /// What is wanted now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// From now on `config` is wanted. With a `limit` what was wanted before returns after it, unless
    /// [`confirm`](Self::confirm) is called.
    pub fn apply(&mut self, config: Config, limit: Option<Duration>, now: Instant) {
        let before = std::mem::replace(&mut self.config, config);
        self.trial = match (limit, self.trial.take()) {
            (Some(limit), Some(trial)) => Some(trial.prolonged(limit, now)),
            (Some(limit), None) => Some(Trial::new(before, limit, now)),
            (None, _) => None,
        };
        self.followed = None;
    }

    /// What is on trial stays. Whether anything was.
    pub fn confirm(&mut self) -> bool {
        self.trial.take().is_some()
    }

    /// How many seconds the trial goes on, if there is one.
    pub fn trial_left(&self, now: Instant) -> Option<u64> {
        self.trial.as_ref().map(|trial| trial.left(now))
    }

    /// When [`follow`](Self::follow) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.trial.as_ref().map(Trial::ends)
    }

    /// Changes what is wanted of one interface, in a table of its own.
    pub fn edit(&mut self, id: InterfaceId, stack: &Stack, change: impl FnOnce(&mut Interface)) {
        let Some(interface) = stack.network.interface(id) else { return };
        let own = Match::by_name(interface.name());
        let mut table = self.wanted(id, interface);
        let first = self.config.interfaces.iter_mut().find(|other| other.matches == own);
        match first.filter(|_| table.matches == own) {
            Some(first) => change(first),
            None => {
                table.matches = own;
                table.name = None;
                change(&mut table);
                self.config.interfaces.insert(0, table);
            }
        }
        self.followed = None;
    }

    /// Nobody wants a route to `destination` by an interface any more.
    pub fn remove_route(&mut self, id: InterfaceId, destination: IpNet, stack: &Stack) {
        let Some(interface) = stack.network.interface(id) else { return };
        if self.wanted(id, interface).routes.iter().any(|route| route.to == destination) {
            self.edit(id, stack, |table| table.routes.retain(|route| route.to != destination));
        }
    }

    /// Whether the interface is to have `address`, whatever DHCP says.
    pub fn wants_address(&self, id: InterfaceId, interface: &interface::Interface, address: Address) -> bool {
        self.wanted(id, interface).addresses.contains(&address)
    }

    /// Changes whom programs ask for names.
    pub fn set_name_servers(&mut self, servers: Vec<Host>) {
        self.config.dns = servers;
        self.followed = None;
    }

    /// Changes where programs look for names without a dot.
    pub fn set_search(&mut self, domains: Vec<Domain>) {
        self.config.search = domains;
        self.followed = None;
    }

    /// Brings the stack to what is wanted, if either has changed since the last time.
    pub fn follow(&mut self, stack: &mut Stack) {
        self.end_trial(stack.network.now);
        if self.followed == Some(stack.revision) {
            return;
        }
        self.known.retain(|id, _| stack.network.interface(*id).is_some());
        self.follow_names(stack);
        let mut followed = BTreeSet::new();
        // An interface may bring others: its VLANs.
        while let Some(id) = stack.network.interface_ids().find(|id| !followed.contains(id)) {
            self.follow_interface(id, stack);
            followed.insert(id);
        }
        self.follow_name_servers(stack);
        // What was done here is a change too.
        stack.revision += 1;
        self.followed = Some(stack.revision);
    }

    /// netd ends: leases are given back, but for those that are to be kept.
    pub fn leave(&self, stack: &mut Stack) {
        for (id, known) in &self.known {
            if !known.applied.keep_lease {
                stack.release(*id);
            }
        }
    }

    fn end_trial(&mut self, now: Instant) {
        if let Some(trial) = self.trial.take_if(|trial| trial.ends() <= now) {
            log::warn!("netcfg: nobody confirmed the configuration on trial: what was before is back");
            self.config = trial.into_before();
            self.followed = None;
        }
    }

    fn follow_interface(&mut self, id: InterfaceId, stack: &mut Stack) {
        let Some(interface) = stack.network.interface(id).filter(|interface| !interface.is_loopback()) else {
            return;
        };
        let known = self.known.entry(id).or_insert_with(|| Known::new(interface.name()));
        known.update(interface);
        let wanted = self.wanted(id, interface);
        let Some(known) = self.known.get_mut(&id) else { return };
        let steps = plan(&known.applied, &wanted);
        for step in &steps {
            carry_out::step(step, id, stack);
        }
        carry_out::keep(&wanted, id, stack);
        known.applied = wanted;
    }

    /// What is wanted of an interface: the table that is for it, or what there is without one.
    fn wanted(&self, id: InterfaceId, interface: &interface::Interface) -> Interface {
        let name = interface.name();
        let unknown = Candidate { name, mac: None, driver: None };
        let candidate = self.known.get(&id).map_or(unknown, |known| known.candidate(name));
        let table = self.config.find(&candidate).cloned();
        let table = table.unwrap_or_else(|| Interface::new(Match::by_name(name)));
        if interface.is_nic() { table } else { of_vlan(table) }
    }

    fn follow_name_servers(&self, stack: &mut Stack) {
        let own = self.config.dns.iter().map(|host| NameServer::anywhere(host.0));
        let of_interface = |(id, known): (&InterfaceId, &Known)| {
            let id = *id;
            known.applied.dns.clone().into_iter().map(move |host| NameServer::on(id, host.0))
        };
        stack.own_name_servers = own.chain(self.known.iter().flat_map(of_interface)).collect();
        stack.own_search.clone_from(&self.config.search);
    }
}

/// What a table for several interfaces says of a VLAN among them, which is no NIC and carries no others.
fn of_vlan(table: Interface) -> Interface {
    let nothing = Interface::new(table.matches);
    let Interface { name, up, dhcp, keep_lease, addresses, routes, dns, mtu, metric, .. } = table;
    Interface { name, up, dhcp, keep_lease, addresses, routes, dns, mtu, metric, ..nothing }
}
