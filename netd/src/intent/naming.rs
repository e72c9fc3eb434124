//! What NICs are called: by tables that find them by their MAC or driver, or else as they came.

use std::collections::BTreeMap;

use super::{Intent, Known};
use crate::stack::{InterfaceId, Stack};

impl Intent {
    /// Gives the NICs the names that are wanted, all at once, so that two can change theirs. A name that another interface
    /// keeps is not given; without one that is wanted an interface stays what it is called.
    pub(super) fn follow_names(&mut self, stack: &mut Stack) {
        stack.network.reserved = self.config.names().map(ToString::to_string).collect();
        for id in stack.network.interface_ids() {
            if let Some(interface) = stack.network.interface(id).filter(|own| own.is_nic()) {
                self.known.entry(id).or_insert_with(|| Known::new(interface.name())).update(interface);
            }
        }
        let mut wanted = self.wanted_names(stack);
        while let Some((id, holder)) = first_conflict(&wanted, stack) {
            let Some(name) = wanted.remove(&id) else { break };
            self.complain(id, &name, holder, stack);
        }
        for (id, name) in wanted {
            if let Some(known) = self.known.get_mut(&id) {
                known.missed = None;
            }
            let before = stack.network.interface(id).map_or("", |own| own.name());
            log::info!("{before} is called {name} from now on");
            stack.rename(id, &name);
        }
    }

    /// Who is to be called what, of those that are called something else.
    fn wanted_names(&self, stack: &Stack) -> BTreeMap<InterfaceId, String> {
        let wanted = self.known.iter().filter_map(|(id, known)| {
            let interface = stack.network.interface(*id).filter(|own| own.is_nic())?;
            let name = self.config.name_of(&known.candidate(interface.name()))?.as_str();
            (name != interface.name()).then(|| (*id, name.to_owned()))
        });
        wanted.collect()
    }

    /// Says once that another interface has the name that this one is to have.
    fn complain(&mut self, id: InterfaceId, name: &str, holder: InterfaceId, stack: &Stack) {
        let Some(known) = self.known.get_mut(&id) else { return };
        if known.missed.replace(name.to_owned()).as_deref() == Some(name) {
            return;
        }
        let called = |id| stack.network.interface(id).map_or("", |own| own.name());
        let (own, other) = (called(id), called(holder));
        log::warn!("{own} is not called {name}, which is wanted: the name is that of another NIC ({other})");
    }
}

/// Somebody who is to get a name that another one keeps, or gets before; and the other one.
fn first_conflict(
    wanted: &BTreeMap<InterfaceId, String>,
    stack: &Stack,
) -> Option<(InterfaceId, InterfaceId)> {
    wanted.iter().find_map(|(id, name)| {
        let keeps = stack.network.find(name).filter(|holder| !wanted.contains_key(holder));
        let gets = || wanted.range(..id).find(|(_, other)| *other == name).map(|(other, _)| *other);
        keeps.or_else(gets).map(|other| (*id, other))
    })
}
