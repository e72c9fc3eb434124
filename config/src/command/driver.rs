//! What a driver can be told beside its link: `features` and `coalesce` of its scheme.

use std::path::PathBuf;

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

/// Shows the file `name` of an interface's driver, or changes a line of it.
pub fn tune(name: &str, tuning: &Tuning, json: bool) -> Result<(), Failure> {
    let interface = &tuning.interface;
    check_interface(interface)?;
    let driver = Node::read(node(&format!("ifaces/{interface}/driver")))?.value();
    let driver = driver.filter(|driver| driver != "none");
    let driver = driver.ok_or_else(|| Failure::Missing(format!("{interface} has no driver")))?;
    let path = file(&driver, name);
    let settings = Node::read(path.clone())?;
    if settings.is_empty() {
        return Err(Failure::Missing(format!("the driver of {interface}, {driver}, has no `{name}`")));
    }
    match (&tuning.name, &tuning.value) {
        (Some(setting), Some(value)) if settings.field(setting).is_some() => {
            change(&path, &format!("{setting} {value}\n"))
        }
        (Some(setting), _) => Err(Failure::Missing(unknown(setting, &settings))),
        _ => show(&settings).show(json),
    }
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
