//! `./x run`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use testbed::image::Settings;
use testbed::machine::{Machine, Plan};
use testbed::run::{self, Run, Script};

use super::script::{self, Options};
use super::terminal;

/// Boots the guest: a shell, or a script.
///
/// The guest is Debian's cloud kernel under QEMU, with the drivers and netd running. Ctrl-D or `poweroff` ends it,
/// Ctrl-A X one that hangs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ./x run
  ./x run --nic e1000:user,hostfwd=tcp:127.0.0.1:8080-:80
  echo 'cat /scheme/network.*/address' | ./x run --exec - --timeout 60
  ./x run --nic e1000-82545em --pcap target/frames.pcap

The console, the daemons' logs and a script's output of each run are kept in target/run-<n>/.
NETD_KERNEL=IMAGE boots another kernel, with its modules from beside it or from /lib/modules.")]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Starts the drivers only
    #[arg(long)]
    no_netd: bool,
    /// The one kind of interrupt that drivers use; without it the best that a device has
    #[arg(long, value_name = "KIND", value_parser = ["msix", "msi", "intx"])]
    interrupt: Option<String>,
    /// Tells each daemon's memory at the end, on standard error
    #[arg(long)]
    memory: bool,
}

/// Runs the guest as asked.
pub fn run(arguments: &Arguments) -> super::Result {
    let options = &arguments.options;
    let script = options.script()?;
    let plan = Plan {
        nics: options.nics()?,
        pcap: options.pcap.clone(),
        counts_instructions: false,
        newer: false,
        console_on_terminal: script.is_none(),
        settings: Settings {
            script,
            limit: options.limit(),
            no_drivers: false,
            no_netd: arguments.no_netd,
            interrupt: arguments.interrupt.clone(),
            memory: arguments.memory,
            programs: Vec::new(),
            kept_modules: Vec::new(),
            terminal_size: terminal::size(),
        },
    };
    let folder = run::new_folder()?;
    let result = match plan.settings.script {
        Some(_) => execute(&plan, &folder),
        None => interact(&plan, &folder),
    };
    if arguments.memory {
        io::stderr().write_all(&fs::read(folder.join("memory")).unwrap_or_default())?;
    }
    match &result {
        Ok(ExitCode::SUCCESS) => {}
        _ => eprintln!("x: the console and the daemons' logs are in {}", folder.display()),
    }
    result
}

fn execute(plan: &Plan, folder: &Path) -> super::Result {
    let outcome = Run::start(plan, folder)?.finish(&mut io::stdout(), &mut io::stderr())?;
    Ok(script::status(outcome, plan.settings.limit))
}

/// Gives the user a shell in the guest.
fn interact(plan: &Plan, folder: &Path) -> super::Result {
    terminal::lend(|| {
        let mut machine = Machine::start(plan, folder)?;
        match machine.wait()? {
            status if status.success() => Ok(ExitCode::SUCCESS),
            status => Err(machine.explain(status).into()),
        }
    })
}
