//! One change: a line to one file.

use super::node;
use crate::cli::action::{AddrOf, LinkSetting, RouteTo, Vlan};
use crate::node::{Failure, change, list};

/// `link set`.
pub fn link(interface: &str, setting: &LinkSetting) -> Result<(), Failure> {
    let (file, value) = match setting {
        LinkSetting::Up => ("state", "up".to_owned()),
        LinkSetting::Down => ("state", "down".to_owned()),
        LinkSetting::Mtu { bytes } => ("mtu", bytes.to_string()),
        LinkSetting::Mac { address } => ("mac", address.to_string()),
        LinkSetting::Vlan { action: Vlan::Add, id } => ("vlan", format!("add {id}")),
        LinkSetting::Vlan { action: Vlan::Rm, id } => ("vlan", format!("rm {id}")),
        LinkSetting::Metric { metric } => ("metric", metric.to_string()),
    };
    of_interface(interface, file, &value)
}

/// `addr add`, `rm` or `set`.
pub fn address(file: &str, what: &AddrOf) -> Result<(), Failure> {
    of_interface(&what.interface, &format!("addr/{file}"), &what.address.to_string())
}

/// `dhcp renew`, `on` or `off`.
pub fn dhcp(interface: &str, word: &str) -> Result<(), Failure> {
    of_interface(interface, "dhcp/set", word)
}

/// `route add` or `rm`.
pub fn route(file: &str, what: &RouteTo) -> Result<(), Failure> {
    let words: Vec<_> = std::iter::once(&what.destination).chain(&what.way).map(String::as_str).collect();
    change(&node(&format!("route/{file}")), &format!("{}\n", words.join(" ")))
}

/// `dns set` and `dns search`.
pub fn names(file: &str, values: &[impl ToString]) -> Result<(), Failure> {
    let values: Vec<_> = values.iter().map(ToString::to_string).collect();
    change(&node(&format!("resolv/{file}")), &format!("{}\n", values.join(" ")))
}

/// `dns clear`.
pub fn clear_names() -> Result<(), Failure> {
    change(&node("resolv/nameservers"), "none\n")?;
    change(&node("resolv/search"), "none\n")
}

fn of_interface(interface: &str, file: &str, value: &str) -> Result<(), Failure> {
    check_interface(interface)?;
    change(&node(&format!("ifaces/{interface}/{file}")), &format!("{value}\n"))
}

/// Whether there is such an interface; if not, the one that may have been meant is named.
pub fn check_interface(interface: &str) -> Result<(), Failure> {
    let names = list(&node("ifaces"))?;
    if names.iter().any(|name| name == interface) {
        return Ok(());
    }
    let names = names.join(", ");
    Err(Failure::Missing(format!("there is no interface `{interface}`: there are {names}")))
}
