//! What each command does.

mod capture;
mod card;
mod change;
mod driver;
mod monitor;
mod ping;
mod query;
mod resolve;
mod rss;
mod transaction;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use config::netd::Panel;
use serde_json::Value;

use crate::cli::action::{Addr, Dhcp, Dns, Link, Route};
use crate::cli::{Command, Options};
use crate::node::Failure;

/// An answer, for people and for programs.
pub struct Answer {
    text: String,
    json: Value,
}

/// Carries out `command`, or shows everything.
pub fn run(command: Option<Command>, json: bool) -> Result<(), Failure> {
    let answer = match command.unwrap_or(Command::Show { interface: None }) {
        Command::Show { interface } => query::all(interface.as_deref())?,
        Command::Link { action: None } => query::links(None)?,
        Command::Link { action: Some(Link::Show { interface }) } => query::links(interface.as_deref())?,
        Command::Link { action: Some(Link::Set { interface, setting }) } => {
            return change::link(&interface, &setting);
        }
        Command::Addr { action: None } => query::addresses(None)?,
        Command::Addr { action: Some(Addr::Show { interface }) } => query::addresses(interface.as_deref())?,
        Command::Addr { action: Some(Addr::Add(what)) } => return change::address("add", &what),
        Command::Addr { action: Some(Addr::Rm(what)) } => return change::address("rm", &what),
        Command::Addr { action: Some(Addr::Set(what)) } => return change::address("set", &what),
        Command::Route { action: None | Some(Route::Show) } => query::routes()?,
        Command::Route { action: Some(Route::Add(what)) } => return change::route("add", &what),
        Command::Route { action: Some(Route::Rm(what)) } => return change::route("rm", &what),
        Command::Neigh { interface } => query::neighbours(interface.as_deref())?,
        Command::Dns { action: None | Some(Dns::Show) } => query::name_servers()?,
        Command::Dns { action: Some(Dns::Set { servers }) } => return change::names("nameservers", &servers),
        Command::Dns { action: Some(Dns::Search { domains }) } => return change::names("search", &domains),
        Command::Dns { action: Some(Dns::Clear) } => return change::clear_names(),
        Command::Dhcp { action: None } => query::leases(None)?,
        Command::Dhcp { action: Some(Dhcp::Show { interface }) } => query::leases(interface.as_deref())?,
        Command::Dhcp { action: Some(Dhcp::Renew { interface }) } => {
            return change::dhcp(&interface, "renew");
        }
        Command::Dhcp { action: Some(Dhcp::On { interface }) } => return change::dhcp(&interface, "on"),
        Command::Dhcp { action: Some(Dhcp::Off { interface }) } => return change::dhcp(&interface, "off"),
        Command::Sockets { listening } => query::sockets(listening)?,
        Command::Stats { interface } => query::statistics(interface.as_deref())?,
        Command::Features(tuning) => return driver::tune(Panel::Features, &tuning, json),
        Command::Coalesce(tuning) => return driver::tune(Panel::Coalesce, &tuning, json),
        Command::Rings(tuning) => return driver::tune(Panel::Rings, &tuning, json),
        Command::Media(tuning) => return driver::tune(Panel::Media, &tuning, json),
        Command::Wake(tuning) => return driver::tune(Panel::Wake, &tuning, json),
        Command::Selftest { interface } => return card::test(&interface, json),
        Command::Rss { interface, change: None } => rss::show(&interface)?,
        Command::Rss { interface, change: Some(change) } => return rss::change(&interface, &change),
        Command::Eeprom { interface } => card::eeprom(&interface)?,
        Command::Identify { interface, seconds } => return card::identify(&interface, seconds),
        Command::Monitor => return monitor::run(json),
        Command::Capture(options) => return capture::run(&options),
        Command::Ping(options) => return ping::run(&options, json),
        Command::Apply { file, confirm } => return transaction::apply(&file, confirm),
        Command::Confirm => return transaction::confirm(),
        Command::Save { file } => return transaction::save(&file),
        Command::Completions { shell } => {
            let mut completions = Vec::new();
            clap_complete::generate(shell, &mut Options::command(), "netcfg", &mut completions);
            return print(&completions);
        }
    };
    answer.show(json)
}

impl Answer {
    /// Prints it.
    pub fn show(&self, json: bool) -> Result<(), Failure> {
        match json {
            true => print(format!("{:#}\n", self.json).as_bytes()),
            false => print(self.text.as_bytes()),
        }
    }
}

/// Writes to standard output, at once.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).map_err(Failure::Output)
}

/// A file of netd's.
fn node(path: &str) -> PathBuf {
    scheme::root().join("netcfg").join(path)
}
