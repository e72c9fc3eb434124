//! Starting one driver, and waiting until it serves.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use config::pcid::Driver;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};

/// How long a driver may take to be ready, and one that closed its pipe to end.
const LIMIT: Duration = Duration::from_secs(5);

/// Why a driver could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Its log could not be opened.
    #[error("cannot open the log {}: {source}", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Its program could not be run.
    #[error("cannot run {}: {source}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It runs, and cannot be waited for.
    #[error("cannot wait for {}: {source}", program.display())]
    Wait {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What has become of a driver that was started.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It serves.
    Ready,
    /// It runs and did not say within this time that it serves.
    NotYet(Duration),
    /// It ended without saying that it serves.
    Gone(ExitStatus),
}

/// Starts drivers.
pub struct Spawner {
    log_directory: PathBuf,
    limit: Duration,
}

impl Spawner {
    /// Drivers will write to `<log_directory>/<driver>.log`.
    pub fn new(log_directory: impl Into<PathBuf>) -> Self {
        Self { log_directory: log_directory.into(), limit: LIMIT }
    }

    /// Runs `driver` for the function at `address`, and waits, not for long, until it is ready.
    pub fn start(&self, address: &str, driver: &Driver) -> Result<Outcome, SpawnError> {
        let program = driver.command.program();
        let log = self.open_log(&program)?;
        let (ready, mut child) = run(&program, driver.command.arguments(), address, log)
            .map_err(|source| SpawnError::Program { program: program.clone(), source })?;
        self.wait_until_ready(ready, &mut child).map_err(|source| SpawnError::Wait { program, source })
    }

    fn open_log(&self, program: &Path) -> Result<File, SpawnError> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let path = self.log_directory.join(format!("{name}.log"));
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.map_err(|source| SpawnError::Log { path, source })
    }

    /// A ready driver writes a zero byte; one that ends closes the pipe without.
    fn wait_until_ready(&self, mut ready: PipeReader, child: &mut Child) -> io::Result<Outcome> {
        if !self.wait_readable(&ready)? {
            return Ok(Outcome::NotYet(self.limit));
        }
        let mut byte = [1];
        if ready.read(&mut byte)? == 1 && byte == [0] {
            return Ok(Outcome::Ready);
        }
        self.wait_end(child)
    }

    fn wait_readable(&self, pipe: &PipeReader) -> io::Result<bool> {
        let limit = Timespec::try_from(self.limit).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(pipe, PollFlags::IN)];
        Ok(poll(&mut polled, Some(&limit))? > 0)
    }

    /// The end of a driver whose pipe is closed follows at once, unless it closed the pipe and goes on.
    fn wait_end(&self, child: &mut Child) -> io::Result<Outcome> {
        const STEP: Duration = Duration::from_millis(10);
        for _ in 0..self.limit.as_millis() / STEP.as_millis() {
            if let Some(status) = child.try_wait()? {
                return Ok(Outcome::Gone(status));
            }
            std::thread::sleep(STEP);
        }
        Ok(Outcome::NotYet(self.limit))
    }
}

/// The driver's process, and the pipe on which it tells that it is ready.
fn run(program: &Path, arguments: &[String], address: &str, log: File) -> io::Result<(PipeReader, Child)> {
    let (ready, notify) = io::pipe()?;
    // What this program was itself started with is no business of a driver.
    scheme::daemon::keep_descriptors()?;
    inherit(&notify)?;
    let child = Command::new(program)
        .args(arguments)
        .env("PCID_FUNCTION", address)
        .env("INIT_NOTIFY", notify.as_raw_fd().to_string())
        // A key that interrupts this program at a terminal must not end the drivers.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    Ok((ready, child))
}

/// Lets `pipe` be inherited by the programs started from now on; it is closed before the next one.
fn inherit(pipe: &PipeWriter) -> io::Result<()> {
    Ok(fcntl_setfd(pipe, FdFlags::empty())?)
}

#[cfg(test)]
mod tests;
