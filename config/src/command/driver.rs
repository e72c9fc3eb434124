//! What a driver can be told beside its link: its features, how it gathers interrupts, how many frames it holds.

use std::path::PathBuf;

use config::netd::Panel;
use serde_json::{Map, Value};

use super::change::check_interface;
use super::{Answer, node};
use crate::cli::Tuning;
use crate::node::{Failure, Node, change};
use crate::table::titled;

/// A file of a driver's scheme.
pub fn file(driver: &str, name: &str) -> PathBuf {
    scheme::root().join(driver).join(name)
}

/// Shows the settings of an interface's driver, or changes one.
pub fn tune(panel: Panel, tuning: &Tuning, json: bool) -> Result<(), Failure> {
    let interface = &tuning.interface;
    check_interface(interface)?;
    let path = node(&format!("ifaces/{interface}/{}", panel.name()));
    let settings = Node::read(path.clone())?;
    if settings.is_empty() {
        return Err(lacks(interface, &of(interface)?, panel.name()));
    }
    match (&tuning.name, &tuning.value) {
        (Some(setting), Some(value)) if settings.field(setting).is_some() => {
            change(&path, &format!("{setting} {value}\n"))
        }
        (Some(setting), _) => Err(Failure::Missing(unknown(setting, &settings))),
        _ => show(&settings).show(json),
    }
}

/// The scheme of the driver of `interface`.
///
/// # Errors
/// There is none, or no such interface.
pub fn of(interface: &str) -> Result<String, Failure> {
    check_interface(interface)?;
    let driver = Node::read(node(&format!("ifaces/{interface}/driver")))?.value();
    let none = || Failure::Missing(format!("{interface} has no driver"));
    driver.filter(|driver| driver != "none").ok_or_else(none)
}

/// The driver of `interface` has no file of this name, or its device has nothing for it.
pub fn lacks(interface: &str, driver: &str, name: &str) -> Failure {
    Failure::Missing(format!("the driver of {interface}, {driver}, has no `{name}`"))
}

fn show(settings: &Node) -> Answer {
    let rows = settings.fields().map(|(name, value)| [name.to_owned(), value.to_owned()]).collect();
    let fields = settings.fields().map(|(name, value)| (name.to_owned(), Value::from(value)));
    Answer { text: titled(["NAME", "VALUE"], rows), json: Value::Object(fields.collect::<Map<_, _>>()) }
}

fn unknown(setting: &str, settings: &Node) -> String {
    let known = settings.fields().map(|(name, _)| name);
    let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, setting)).unwrap_or_default();
    format!("the driver has no `{setting}`, did you mean `{nearest}`?")
}
