//! Starts a driver for every PCI function that a `pcid.d` file names: on Linux what pcid-spawner is on Redox.

mod bus;
mod spawn;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use config::pcid::{self, Driver};

use crate::bus::{Bus, Function};
use crate::spawn::{Outcome, Spawner};

/// Starts a driver for every PCI function that a pcid.d file names.
///
/// Each function is taken from the driver it has and given to vfio-pci, and its own driver is started with
/// its address in PCID_FUNCTION. A driver writes to /var/log/<driver>.log. The level of this program's own
/// messages, and of the drivers', is that of the environment variable LOG (error, warn, info, debug, trace).
#[derive(Parser)]
#[command(name = "pcid-spawner", version)]
struct Options {
    /// Read the *.toml files of DIR instead of those of /usr/lib/pcid.d and /etc/pcid.d
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,

    /// Print what would be started, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn main() -> ExitCode {
    let readiness = scheme::daemon::start("pcid-spawner");
    let options = Options::parse();

    let drivers = load_drivers(options.config);
    let bus = Bus::new("/sys/bus/pci");
    let functions = match bus.functions() {
        Ok(functions) => functions,
        Err(error) => {
            log::error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let matches = match_functions(&functions, &drivers);
    if options.dry_run {
        matches.iter().for_each(|(function, driver)| println!("{}", plan(function, driver)));
        return ExitCode::SUCCESS;
    }
    let result = start_all(&bus, &matches);
    readiness.tell();
    result
}

fn load_drivers(directory: Option<PathBuf>) -> Vec<Driver> {
    let directories =
        directory.map_or_else(|| pcid::DIRECTORIES.map(PathBuf::from).to_vec(), |directory| vec![directory]);
    let (drivers, errors) = pcid::load(&directories);
    for error in errors {
        log::error!("{error}");
    }
    if drivers.is_empty() {
        log::warn!("no driver is configured in {directories:?}");
    }
    drivers
}

/// The functions that have a driver, each with it; says which have none.
fn match_functions<'a>(functions: &'a [Function], drivers: &'a [Driver]) -> Vec<(&'a Function, &'a Driver)> {
    if !functions.iter().any(Function::is_network) {
        log::info!("no network controller among the {} PCI functions", functions.len());
    }
    let mut matches = Vec::new();
    for function in functions {
        match pcid::find(drivers, &function.id) {
            Some(driver) => matches.push((function, driver)),
            None if function.is_network() => log::warn!("no driver for the network controller {function}"),
            None => log::debug!("no driver for {function}"),
        }
    }
    matches
}

/// What `--dry-run` says of one function.
fn plan(function: &Function, driver: &Driver) -> String {
    let from = match &function.bound_to {
        Some(name) if name == bus::VFIO => format!("has {name} already"),
        Some(name) => format!("taken from {name} for {}", bus::VFIO),
        None => format!("given to {}", bus::VFIO),
    };
    let words = driver.command.arguments().iter().map(|argument| format!(" {argument}"));
    format!("{function}: {from}, {}{}", driver.command.program().display(), words.collect::<String>())
}

fn start_all(bus: &Bus, matches: &[(&Function, &Driver)]) -> ExitCode {
    let spawner = Spawner::new("/var/log");
    let mut result = ExitCode::SUCCESS;
    for (function, driver) in matches {
        let started = bus
            .give_to_vfio(&function.address)
            .map_err(|error| error.to_string())
            .and_then(|()| spawner.start(&function.address, driver).map_err(|error| error.to_string()));
        let program = driver.command.program();
        let name = program.display();
        match started {
            Ok(Outcome::Ready) => log::info!("{name} serves {function}"),
            Ok(Outcome::NotYet(limit)) => {
                log::warn!("{name} for {function} is not ready after {limit:?}, going on without waiting");
            }
            Ok(Outcome::Gone(status)) => {
                log::error!("{name} for {function} ended before it was ready: {status}");
                result = ExitCode::FAILURE;
            }
            Err(error) => {
                log::error!("{function} has no driver: {error}");
                result = ExitCode::FAILURE;
            }
        }
    }
    result
}

#[cfg(test)]
mod tests;
