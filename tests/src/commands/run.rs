//! `./x run`.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rustix::fs::{fcntl_getfl, fcntl_setfl};
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};
use testbed::image::Settings;
use testbed::machine::{Machine, Plan};
use testbed::nic::Nic;
use testbed::run::{self, Outcome, Run};

/// The status of a script that took longer than it may (as `timeout` has it).
const TIMED_OUT: u8 = 124;

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
    /// A network device: QEMU's model and what it is connected to (user, user,OPTION..., tap:IFNAME,
    /// dgram:LOCAL,REMOTE, stream:PATH). May be repeated; `none` is a guest without any
    #[arg(long = "nic", value_name = "MODEL[:NETDEV]", default_value = "e1000")]
    nics: Vec<String>,
    /// Runs this shell script in the guest (`-`: from standard input). Its standard output, its standard error and
    /// its exit status become the command's; 125 says that the guest failed
    #[arg(long, value_name = "FILE")]
    exec: Option<PathBuf>,
    /// Ends a script that takes longer, with status 124. Booting does not count, and has a bound of its own
    #[arg(long, value_name = "SECONDS", requires = "exec", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Keeps the first network device's frames
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Starts the drivers only
    #[arg(long)]
    no_netd: bool,
    /// Tells each daemon's memory at the end, on standard error
    #[arg(long)]
    memory: bool,
}

/// Runs the guest as asked.
pub fn run(arguments: &Arguments) -> super::Result {
    let script = arguments.exec.as_deref().map(read_script).transpose()?;
    let plan = Plan {
        nics: nics(&arguments.nics)?,
        pcap: arguments.pcap.clone(),
        console_on_terminal: script.is_none(),
        settings: Settings {
            script,
            limit: arguments.timeout.map(Duration::from_secs),
            no_netd: arguments.no_netd,
            memory: arguments.memory,
            terminal_size: terminal_size(),
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

fn read_script(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut script = Vec::new();
        io::stdin().read_to_end(&mut script)?;
        return Ok(script);
    }
    fs::read(file)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", file.display())))
}

/// The devices named, or none where that is what is named.
fn nics(names: &[String]) -> Result<Vec<Nic>, testbed::nic::ParseError> {
    match names {
        [none] if none == "none" => Ok(Vec::new()),
        names => names.iter().map(|name| name.parse()).collect(),
    }
}

fn execute(plan: &Plan, folder: &Path) -> super::Result {
    match Run::start(plan, folder)?.finish(&mut io::stdout(), &mut io::stderr())? {
        Outcome::Exit(status) => Ok(ExitCode::from(status)),
        Outcome::TimedOut => {
            let seconds = plan.settings.limit.unwrap_or_default().as_secs();
            eprintln!("x: the script has not ended within {seconds} s");
            Ok(ExitCode::from(TIMED_OUT))
        }
    }
}

/// Gives the user a shell in the guest, and afterwards the terminal as it was.
fn interact(plan: &Plan, folder: &Path) -> super::Result {
    let terminal = io::stdin();
    if !terminal.is_terminal() {
        return Err(
            "standard input is no terminal; to run a script in the guest: ./x run --exec FILE (or -)".into(),
        );
    }
    let modes = tcgetattr(&terminal)?;
    let flags = fcntl_getfl(&terminal)?;
    let ended = Machine::start(plan, folder).and_then(|mut machine| Ok((machine.wait()?, machine)));
    tcsetattr(&terminal, OptionalActions::Drain, &modes)?;
    fcntl_setfl(&terminal, flags)?;
    match ended? {
        (status, _) if status.success() => Ok(ExitCode::SUCCESS),
        (status, machine) => Err(machine.explain(status).into()),
    }
}

/// The terminal's rows and columns, which a serial line does not tell.
fn terminal_size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdin()).ok()?;
    Some((size.ws_row, size.ws_col)).filter(|(rows, columns)| *rows > 0 && *columns > 0)
}
