//! A run of the guest: a shell for the user, or a script and what became of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::{Machine, Plan};
use crate::monitor::Monitor;
use crate::{Context, Error, Result};

/// How long the guest may take from power on to the script's first line.
const BOOT_LIMIT: Duration = Duration::from_secs(90);

/// How much longer than its limit a script may take before the guest counts as hung: it ends the script itself.
const GRACE: Duration = Duration::from_secs(10);

/// How long the guest may take to power off once the script has ended.
const POWER_OFF_LIMIT: Duration = Duration::from_secs(5);

/// How often the host looks for what the guest said.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// How many runs' files are kept.
const KEPT_RUNS: u64 = 100;

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By itself, with this status.
    Exit(u8),
    /// It took longer than it may.
    TimedOut,
}

/// A script under way in some guest.
pub trait Script {
    /// Copies what the script has said since the last time, and tells its end once it has come.
    fn advance(&mut self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Option<Outcome>>;

    /// Sees the script to its end, copying its output as it comes.
    fn finish(&mut self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Outcome> {
        loop {
            if let Some(outcome) = self.advance(stdout, stderr)? {
                return Ok(outcome);
            }
            thread::sleep(POLL);
        }
    }
}

/// A new folder `target/run-<n>`; the oldest ones are removed.
pub fn new_folder() -> Result<PathBuf> {
    let target = crate::target();
    let entries = fs::read_dir(&target).context("list", &target)?;
    let mut number = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("run-")?.parse::<u64>().ok())
        .max()
        .unwrap_or(0);
    loop {
        number += 1;
        let folder = target.join(format!("run-{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => {
                if let Some(old) = number.checked_sub(KEPT_RUNS) {
                    // It need not exist.
                    let _ = fs::remove_dir_all(target.join(format!("run-{old}")));
                }
                return Ok(folder);
            }
            // Another run began at the same time.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).context("create", &folder),
        }
    }
}

/// A guest with a script in it. Dropping it ends it.
pub struct Run {
    machine: Machine,
    folder: PathBuf,
    output: Follower,
    errors: Follower,
    limit: Option<Duration>,
    deadline: Option<Instant>,
    booted: bool,
}

impl Run {
    /// Boots a guest for the script in `plan`, which keeps its files in `folder`. The plan's limit is for the
    /// script; booting has its own.
    pub fn start(plan: &Plan, folder: &Path) -> Result<Self> {
        Ok(Self {
            machine: Machine::start(plan, folder)?,
            folder: folder.to_owned(),
            output: Follower::new(folder, "stdout")?,
            errors: Follower::new(folder, "stderr")?,
            limit: plan.settings.limit,
            deadline: Some(Instant::now() + BOOT_LIMIT),
            booted: false,
        })
    }

    /// What can be done to the guest from outside.
    pub fn monitor(&mut self) -> &mut Monitor {
        self.machine.monitor()
    }
}

impl Script for Run {
    fn advance(&mut self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Option<Outcome>> {
        // In this order, so that what came before an end is seen before it.
        let ended = self.machine.ended()?;
        let control = Control::read(&self.folder)?;
        self.output.copy(stdout)?;
        self.errors.copy(stderr)?;
        if let Some(outcome) = control.outcome {
            self.power_off()?;
            unpack_logs(&self.folder)?;
            return Ok(Some(outcome));
        }
        if let Some(status) = ended {
            return Err(self.machine.explain(status));
        }
        if control.booted && !self.booted {
            self.booted = true;
            self.deadline = self.limit.map(|limit| Instant::now() + limit + GRACE);
        }
        if self.deadline.is_none_or(|deadline| Instant::now() < deadline) {
            return Ok(None);
        }
        let late = || Error::Guest(format!("the guest has not booted within {} s", BOOT_LIMIT.as_secs()));
        self.booted.then_some(Some(Outcome::TimedOut)).ok_or_else(late)
    }
}

impl Run {
    /// Lets the guest power off, so that its last words are kept.
    fn power_off(&mut self) -> Result<()> {
        let deadline = Instant::now() + POWER_OFF_LIMIT;
        while self.machine.ended()?.is_none() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// Unpacks the daemons' logs into the folder `log`. (`daemons.log` is what was seen of them while the guest ran.)
fn unpack_logs(folder: &Path) -> Result<()> {
    let log = folder.join("log");
    fs::create_dir(&log).context("create", &log)?;
    let archive = folder.join("logs.tar");
    Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&log).status().context("unpack", &archive)?;
    fs::remove_file(&archive).context("remove", &archive)
}

/// What the guest's `/init` said of its progress.
#[derive(Debug, Default, PartialEq, Eq)]
struct Control {
    booted: bool,
    outcome: Option<Outcome>,
}

impl Control {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("control");
        let text = fs::read_to_string(&path).context("read", &path)?;
        let mut control = Self::default();
        // A line counts once it is complete.
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            match line.split_once(' ') {
                Some(("status", status)) => control.outcome = status.parse().ok().map(Outcome::Exit),
                _ if line == "timeout" => control.outcome = Some(Outcome::TimedOut),
                _ => control.booted |= line == "booted",
            }
        }
        Ok(control)
    }
}

/// Copies a file as it grows.
pub(crate) struct Follower {
    file: File,
    path: PathBuf,
}

impl Follower {
    /// The file `name` in `folder`, from its beginning.
    pub(crate) fn new(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        Ok(Self { file: File::open(&path).context("open", &path)?, path })
    }

    /// Copies what has come since the last time.
    pub(crate) fn copy(&mut self, sink: &mut dyn Write) -> Result<()> {
        let mut buffer = [0; 65536];
        loop {
            let count = self.file.read(&mut buffer).context("read", &self.path)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            sink.write_all(bytes).and_then(|()| sink.flush()).context("copy", &self.path)?;
        }
    }
}
