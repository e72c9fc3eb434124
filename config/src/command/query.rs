//! What netd knows: read, and laid out for people and for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::change::check_interface;
use super::{Answer, driver, node};
use crate::node::{Failure, Node, list};
use crate::status::{Interface, Status, counters};
use crate::table::titled;
use crate::text::{self, none};

/// `show`.
pub fn all(only: Option<&str>) -> Result<Answer, Failure> {
    only.map_or(Ok(()), check_interface)?;
    let mut status = status()?;
    if let Some(only) = only {
        status.interfaces.retain(|interface| interface.name == only);
        status.routes.retain(|route| route.interface.as_deref() == Some(only));
    }
    Ok(Answer { text: text::render(&status), json: json!(status) })
}

fn status() -> Result<Status, Failure> {
    Status::read(&node(""))
}

/// The interface called `only`, or all of them.
fn interfaces(only: Option<&str>) -> Result<Vec<Interface>, Failure> {
    only.map_or(Ok(()), check_interface)?;
    let all = status()?.interfaces.into_iter();
    Ok(all.filter(|interface| only.is_none_or(|only| interface.name == only)).collect())
}

/// `link`.
pub fn links(only: Option<&str>) -> Result<Answer, Failure> {
    let interfaces = interfaces(only)?;
    let rows = interfaces.iter().map(|own| {
        let number = |number: Option<u64>| number.map_or_else(none, |number| number.to_string());
        [
            own.name.clone(),
            own.state.clone().unwrap_or_else(none),
            own.link.as_ref().map_or_else(none, text::link),
            number(own.mtu),
            number(own.metric),
            own.mac.clone().unwrap_or_else(none),
            own.driver.clone().unwrap_or_else(none),
        ]
    });
    let json = interfaces.iter().map(|own| {
        json!({
            "name": own.name, "state": own.state, "flags": own.flags, "link": own.link, "mtu": own.mtu,
            "metric": own.metric, "mac": own.mac, "driver": own.driver,
        })
    });
    let titles = ["NAME", "STATE", "LINK", "MTU", "METRIC", "MAC", "DRIVER"];
    Ok(Answer { text: titled(titles, rows.collect()), json: json.collect() })
}

/// `addr`.
pub fn addresses(only: Option<&str>) -> Result<Answer, Failure> {
    let interfaces = interfaces(only)?;
    let rows = interfaces
        .iter()
        .flat_map(|own| own.addresses.iter().map(|address| [own.name.clone(), address.clone()]));
    let json = interfaces.iter().map(|own| json!({ "name": own.name, "addresses": own.addresses }));
    Ok(Answer { text: titled(["NAME", "ADDRESS"], rows.collect()), json: json.collect() })
}

/// `route`.
pub fn routes() -> Result<Answer, Failure> {
    let routes = status()?.routes;
    let text = text::routes(&routes).iter().map(|line| format!("{line}\n")).collect();
    Ok(Answer { text, json: json!(routes) })
}

/// `dns`.
pub fn name_servers() -> Result<Answer, Failure> {
    let Status { nameservers, search, .. } = status()?;
    let servers = nameservers.iter().map(|server| ["server".to_owned(), server.clone()]);
    let domains = search.iter().map(|domain| ["search".to_owned(), domain.clone()]);
    let text = titled(["KIND", "NAME"], servers.chain(domains).collect());
    Ok(Answer { text, json: json!({ "nameservers": nameservers, "search": search }) })
}

/// `dhcp`.
pub fn leases(only: Option<&str>) -> Result<Answer, Failure> {
    let clients: Vec<_> =
        interfaces(only)?.into_iter().filter_map(|own| own.dhcp.map(|dhcp| (own.name, dhcp))).collect();
    let rows = clients.iter().map(|(name, dhcp)| [name.clone(), text::dhcp(dhcp)]);
    let json = clients.iter().map(|(name, dhcp)| json!({ "name": name, "dhcp": dhcp }));
    Ok(Answer { text: titled(["NAME", "DHCP"], rows.collect()), json: json.collect() })
}

#[derive(Serialize)]
struct Neighbour {
    interface: String,
    address: String,
    mac: Option<String>,
    state: String,
}

/// `neigh`.
pub fn neighbours(only: Option<&str>) -> Result<Answer, Failure> {
    only.map_or(Ok(()), check_interface)?;
    let mut neighbours = Vec::new();
    for interface in list(&node("ifaces"))?.into_iter().filter(|name| only.is_none_or(|only| name == only)) {
        for line in Node::read(node(&format!("ifaces/{interface}/neigh")))?.lines() {
            let mut words = line.split_whitespace().map(str::to_owned);
            let mut word = || words.next().unwrap_or_default();
            let (address, mac, state) = (word(), Some(word()).filter(|mac| mac != "none"), word());
            neighbours.push(Neighbour { interface: interface.clone(), address, mac, state });
        }
    }
    let rows = neighbours.iter().map(|own| {
        let mac = own.mac.clone().unwrap_or_else(none);
        [own.address.clone(), own.interface.clone(), mac, own.state.clone()]
    });
    let text = titled(["ADDRESS", "INTERFACE", "MAC", "STATE"], rows.collect());
    Ok(Answer { text, json: json!(neighbours) })
}

#[derive(Serialize)]
struct Socket {
    protocol: String,
    state: String,
    local: String,
    remote: Option<String>,
    received: u64,
    queued: u64,
    uid: u32,
}

/// `sockets`.
pub fn sockets(listening: bool) -> Result<Answer, Failure> {
    let node = Node::read(node("sockets"))?;
    let mut sockets = Vec::new();
    let mut more = None;
    for line in node.lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [protocol, state, local, remote, received, queued, uid] => sockets.push(Socket {
                protocol: (*protocol).to_owned(),
                state: (*state).to_owned(),
                local: (*local).to_owned(),
                remote: Some((*remote).to_owned()).filter(|remote| remote != "*"),
                received: node.parse(received)?,
                queued: node.parse(queued)?,
                uid: node.parse(uid)?,
            }),
            ["more", count] => more = Some(format!("and {count} more\n")),
            _ => (),
        }
    }
    sockets.retain(|socket| !listening || socket.remote.is_none());
    let rows = sockets.iter().map(|socket| {
        let remote = socket.remote.clone().unwrap_or_else(|| "*".to_owned());
        let [received, queued, uid] =
            [socket.received, socket.queued, socket.uid.into()].map(|own| own.to_string());
        [socket.protocol.clone(), socket.state.clone(), socket.local.clone(), remote, received, queued, uid]
    });
    let titles = ["PROTOCOL", "STATE", "LOCAL", "REMOTE", "RECEIVED", "QUEUED", "UID"];
    let text = titled(titles, rows.collect()) + &more.unwrap_or_default();
    Ok(Answer { text, json: json!(sockets) })
}

#[derive(Serialize)]
struct Statistics {
    name: String,
    stats: BTreeMap<String, u64>,
    driver: Option<BTreeMap<String, u64>>,
}

/// `stats`. Those of the driver are for root alone.
pub fn statistics(only: Option<&str>) -> Result<Answer, Failure> {
    let mut all = Vec::new();
    for Interface { name, stats, driver, .. } in interfaces(only)? {
        let driver = driver.map(|driver| Node::read(driver::file(&driver, "stats")));
        let driver = match driver {
            Some(Err(Failure::NotRoot { .. })) | None => None,
            Some(node) => Some(counters(&node?)?),
        };
        all.push(Statistics { name, stats, driver });
    }
    let rows = all.iter().flat_map(|own| {
        let of = |side: &'static str, stats: &BTreeMap<String, u64>| {
            let row = |(counter, count): (&String, &u64)| {
                [own.name.clone(), side.to_owned(), counter.clone(), count.to_string()]
            };
            stats.iter().map(row).collect::<Vec<_>>()
        };
        let drivers = own.driver.as_ref().map(|stats| of("driver", stats)).unwrap_or_default();
        of("netd", &own.stats).into_iter().chain(drivers)
    });
    let text = titled(["NAME", "COUNTED BY", "COUNTER", "COUNT"], rows.collect());
    Ok(Answer { text, json: json!(all) })
}
