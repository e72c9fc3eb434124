//! What the commands that run a script somewhere have in common: their options, and their exit status.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use testbed::nic::{Nic, ParseError};
use testbed::run::Outcome;

/// The status of a script that took longer than it may (as `timeout` has it).
const TIMED_OUT: u8 = 124;

/// The options.
#[derive(Args, Debug)]
pub struct Options {
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
    pub pcap: Option<PathBuf>,
}

impl Options {
    /// The devices named, or none where that is what is named.
    pub fn nics(&self) -> Result<Vec<Nic>, ParseError> {
        match self.nics.as_slice() {
            [none] if none == "none" => Ok(Vec::new()),
            names => names.iter().map(|name| name.parse()).collect(),
        }
    }

    /// The script, if there is one.
    pub fn script(&self) -> io::Result<Option<Vec<u8>>> {
        self.exec.as_deref().map(read).transpose()
    }

    /// How long it may take.
    pub fn limit(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut script = Vec::new();
        io::stdin().read_to_end(&mut script)?;
        return Ok(script);
    }
    fs::read(file)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {}: {error}", file.display())))
}

/// The command's status after a script's end.
pub fn status(outcome: Outcome, limit: Option<Duration>) -> ExitCode {
    match outcome {
        Outcome::Exit(status) => ExitCode::from(status),
        Outcome::TimedOut => {
            eprintln!("x: the script has not ended within {} s", limit.unwrap_or_default().as_secs());
            ExitCode::from(TIMED_OUT)
        }
    }
}
