//! `./x redox run`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use testbed::redox::install::Parts;
use testbed::redox::run::{Clock, Machine, Plan, Run};
use testbed::run::{self, Script};

use super::{Base, Programs};
use crate::commands::script::{self, Options};
use crate::commands::terminal;

/// Boots Redox: its console, or a script.
///
/// An image of Redox is copied, our drivers, netd and netcfg are put into the copy, and QEMU boots it. Without a script
/// the serial console is the terminal; Ctrl-A X ends it.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  ./x redox run --base harddrive.img
  echo 'cat /scheme/network.*/address' | ./x redox run --base harddrive.img --exec - --timeout 60
  ./x redox run --base harddrive.img --stock --exec script --nic e1000 --nic rtl8139

A script is run by the image's shell; where it has none, line by line by a runner that knows words, quotes, `*`, `<`,
`>`, `>>` and `&` at the end, and the commands cat, echo, exit, ls, sleep and wait.

The console of each run is kept in target/run-<n>/.")]
pub struct Arguments {
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    programs: Programs,
    #[command(flatten)]
    options: Options,
    /// Leaves the image's own drivers and network stack in it
    #[arg(long)]
    stock: bool,
}

/// Runs Redox as asked.
pub fn run(arguments: &Arguments) -> crate::commands::Result {
    let options = &arguments.options;
    let base = arguments.base.path()?;
    let script = options.script()?;
    let nics = options.nics()?;
    let needed = !arguments.stock || script.is_some();
    let programs = needed.then(|| arguments.programs.folder()).transpose()?;
    let parts = if arguments.stock { Parts::Stock } else { Parts::All };
    let (pcap, limit) = (options.pcap.clone(), options.limit());
    let (left_out, others, unplugged, clock) = (Vec::new(), Vec::new(), false, Clock::Wall);
    let plan = Plan { base, parts, programs, left_out, others, nics, unplugged, clock, pcap, script, limit };
    let folder = run::new_folder()?;
    let result = match plan.script {
        Some(_) => execute(&plan, &folder),
        None => interact(&plan, &folder),
    };
    let booted = folder.join("qemu.log").exists();
    if booted && !matches!(result, Ok(ExitCode::SUCCESS)) {
        eprintln!("x: the console is in {}", folder.display());
    }
    result
}

fn execute(plan: &Plan, folder: &Path) -> crate::commands::Result {
    let outcome = Run::start(plan, folder)?.finish(&mut io::stdout(), &mut io::stderr())?;
    Ok(script::status(outcome, plan.limit))
}

fn interact(plan: &Plan, folder: &Path) -> crate::commands::Result {
    terminal::lend(|| {
        let mut machine = Machine::start(plan, folder)?;
        let status = machine.wait()?;
        machine.failure(status).map_or(Ok(ExitCode::SUCCESS), |reason| Err(reason.into()))
    })
}
