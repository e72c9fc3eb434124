//! The network's state as text for people.

use std::fmt::Write;

use crate::status::{Dhcp, Interface, Link, Route, Status};
use crate::table::columns;

/// The counters that are always shown: what moved, then what was lost.
const COUNTERS: [&str; 4] = ["packets", "bytes", "errors", "dropped"];

/// All of `status`, a paragraph each for an interface, the routes and the name servers.
pub fn render(status: &Status) -> String {
    let mut paragraphs: Vec<_> = status.interfaces.iter().map(interface).collect();
    paragraphs.push(section("Routes", &routes(&status.routes)));
    paragraphs.push(section("Name servers", &status.nameservers));
    if !status.search.is_empty() {
        paragraphs.push(section("Domains", &status.search));
    }
    paragraphs.join("\n")
}

fn section(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return format!("{title}: none\n");
    }
    lines.iter().fold(format!("{title}:\n"), |text, line| text + "  " + line.trim_end() + "\n")
}

fn interface(interface: &Interface) -> String {
    let mut rows = vec![
        ("state", interface.state.clone().unwrap_or_else(none)),
        ("flags", listed(&interface.flags, " ")),
        ("mac", interface.mac.clone().unwrap_or_else(none)),
        ("address", listed(&interface.addresses, ", ")),
        ("mtu", interface.mtu.map_or_else(none, |mtu| mtu.to_string())),
        ("link", interface.link.as_ref().map_or_else(none, link)),
        ("driver", interface.driver.clone().unwrap_or_else(none)),
    ];
    rows.extend(interface.dhcp.as_ref().map(|client| ("dhcp", dhcp(client))));
    rows.push(("received", counters(interface, "rx")));
    rows.push(("sent", counters(interface, "tx")));
    let others = other_counters(interface);
    if !others.is_empty() {
        rows.push(("other", others));
    }

    let mut text = format!("{}:\n", interface.name);
    for (title, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {title:<9} {value}");
    }
    text
}

/// What there is not.
pub fn none() -> String {
    "none".to_owned()
}

fn listed(values: &[String], separator: &str) -> String {
    if values.is_empty() { none() } else { values.join(separator) }
}

/// `up, 1000 Mbit/s, full duplex`.
pub fn link(link: &Link) -> String {
    let state = link.state.clone();
    let speed = link.speed.map(|speed| format!("{speed} Mbit/s"));
    let duplex = link.duplex.as_ref().map(|duplex| format!("{duplex} duplex"));
    state.into_iter().chain(speed).chain(duplex).collect::<Vec<_>>().join(", ")
}

/// `bound, server 10.0.2.2, lease 86400 s`.
pub fn dhcp(client: &Dhcp) -> String {
    let state = [client.state.clone()];
    let server = client.server.as_ref().map(|server| format!("server {server}"));
    let lease = client.lease.map(|seconds| format!("lease {seconds} s"));
    let renew = client.renew.map(|seconds| format!("renewal after {seconds} s"));
    state.into_iter().chain(server).chain(lease).chain(renew).collect::<Vec<_>>().join(", ")
}

/// Those of [`COUNTERS`] that the interface counts.
fn counters(interface: &Interface, direction: &str) -> String {
    let count = |name: &&str| {
        let count = interface.stats.get(&format!("{direction}_{name}"))?;
        Some(format!("{count} {name}"))
    };
    let counted: Vec<_> = COUNTERS.iter().filter_map(count).collect();
    listed(&counted, ", ")
}

/// The other counters, of which only those that counted something tell something.
fn other_counters(interface: &Interface) -> String {
    let is_shown = |name: &str| {
        name.split_once('_')
            .is_some_and(|(direction, name)| ["rx", "tx"].contains(&direction) && COUNTERS.contains(&name))
    };
    let others = interface.stats.iter().filter(|(name, count)| **count > 0 && !is_shown(name));
    others.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

/// One line a route, its parts in columns.
pub fn routes(routes: &[Route]) -> Vec<String> {
    let part = |keyword: &str, value: &Option<String>| {
        value.as_ref().map_or_else(String::new, |value| format!("{keyword} {value}"))
    };
    let cells: Vec<[String; 5]> = routes
        .iter()
        .map(|route| {
            let metric = Some(route.metric).filter(|metric| *metric > 0).map(|metric| metric.to_string());
            [
                route.destination.clone(),
                part("via", &route.via),
                part("dev", &route.interface),
                part("src", &route.source),
                part("metric", &metric),
            ]
        })
        .collect();
    columns(&cells)
}
