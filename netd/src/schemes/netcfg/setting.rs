//! A driver's setting: what a line asks for, and what the driver answers.

use config::netd::{Panel, Setting};
use scheme::errno::{ENODEV, EOPNOTSUPP};

use super::parse::Refusal;
use crate::intent::Intent;
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// The setting that `line` names, which is one of the driver's, and what it is to be.
pub fn parse(line: &str, panel: Panel, interface: &Interface) -> Result<(Panel, String, Setting), Refusal> {
    let name = interface.name();
    let Some(driver) = &interface.driver else {
        return Err(Refusal { errno: ENODEV, reason: format!("{name} has no driver") });
    };
    let Some(text) = interface.panels.texts.get(&panel) else {
        let reason = format!("the driver of {name}, {driver}, has no `{}`", panel.name());
        return Err(Refusal { errno: EOPNOTSUPP, reason });
    };
    let (setting, value) = line.split_once(' ').ok_or_else(|| format!("{line:?} is no name and a value"))?;
    let mut known = text.lines().filter_map(|line| line.split_whitespace().next());
    match known.any(|known| known == setting) {
        true => Ok((panel, setting.to_owned(), value.trim().parse()?)),
        false => Err(Refusal::from(format!("the driver of {name}, {driver}, has no `{setting}`"))),
    }
}

/// What was asked, and who waits for the answer.
pub struct Asked {
    /// The handle that waits, unless it was closed.
    pub handle: Option<usize>,
    interface: InterfaceId,
    setting: (Panel, String),
    /// What was wanted before.
    before: Option<Setting>,
    /// Names what is wanted now.
    version: u64,
}

impl Asked {
    /// From now on `setting` is wanted of the driver.
    pub fn ask(
        handle: usize,
        interface: InterfaceId,
        (panel, name, setting): (Panel, String, Setting),
        intent: &mut Intent,
        stack: &mut Stack,
    ) -> Self {
        let mut before = None;
        intent.edit(interface, stack, |table| {
            before = table.settings_mut(panel).insert(name.clone(), setting);
        });
        intent.follow(stack);
        let version = stack.network.interface(interface).map_or(0, |own| own.wanted.version);
        Self { handle: Some(handle), interface, setting: (panel, name), before, version }
    }

    /// What the driver says, once it does: nothing, or why not. One that is gone has nothing against it, and the next
    /// one will be told.
    pub fn answer(&self, stack: &Stack) -> Option<Result<(), String>> {
        let Some(interface) = stack.network.interface(self.interface) else { return Some(Ok(())) };
        let panels = &interface.panels;
        match (&interface.driver, panels.told >= self.version) {
            (None, _) => Some(Ok(())),
            (Some(_), false) => None,
            (Some(_), true) => Some(panels.refused.get(&self.setting).map_or(Ok(()), |why| Err(why.clone()))),
        }
    }

    /// The driver does not take it: what was wanted before is wanted again.
    pub fn take_back(self, intent: &mut Intent, stack: &mut Stack) {
        let (panel, name) = self.setting;
        intent.edit(self.interface, stack, |table| {
            let settings = table.settings_mut(panel);
            match self.before {
                Some(before) => settings.insert(name, before),
                None => settings.remove(&name),
            };
        });
        intent.follow(stack);
    }
}
