//! The `netcfg` command: shows the network's state as people or programs like to read it.

mod status;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::status::Status;

/// Shows the network's state.
#[derive(Parser)]
#[command(name = "netcfg", version, after_long_help = JSON_HELP)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Show interfaces, routes and name servers; what netcfg does without a command
    Show,
}

const JSON_HELP: &str = "\
JSON fields (a value that the interface does not have is null):
  interfaces[]   name, state, flags[], mac, addresses[], mtu, driver,
                 link {state, speed (Mbit/s), duplex}, stats {name: count},
                 dhcp {state, server, lease (s), renew (s)}
  routes[]       destination, via, interface, source
  nameservers[]  addresses

Exit status: 0 shown, 1 the state cannot be read (netd does not run, say), 2 wrong usage.";

fn main() -> ExitCode {
    let Options { command, json } = Options::parse();
    match command.unwrap_or(Command::Show) {
        Command::Show => show(json),
    }
}

fn show(json: bool) -> ExitCode {
    let status = match Status::read(&netcfg_scheme()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("netcfg: {error}");
            return ExitCode::FAILURE;
        }
    };
    let output = if json { format!("{:#}\n", serde_json::json!(status)) } else { text::render(&status) };
    match io::stdout().write_all(output.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netcfg: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

fn netcfg_scheme() -> PathBuf {
    scheme::root().join("netcfg")
}
