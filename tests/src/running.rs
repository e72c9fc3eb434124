//! A script that is under way in a guest of either system, and what became of it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::run::{Outcome, POLL, Script};
use crate::{Context, Error, Result};

/// A guest in which the script is under way. Dropping it ends it.
pub struct Running<R> {
    run: R,
    finished: Finished,
}

impl<R: Script> Running<R> {
    /// A run that has just begun, whose files are in `folder`.
    pub(crate) fn new(run: R, folder: PathBuf) -> Self {
        Self { run, finished: Finished { folder, ..Finished::default() } }
    }

    /// What runs the script.
    pub fn run(&mut self) -> &mut R {
        &mut self.run
    }

    /// Waits until the script has said `text`; gives all that it has said by then.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Result<&str> {
        self.wait_for_bytes(text.as_bytes(), limit)?;
        Ok(self.finished.stdout())
    }

    /// Waits until the script's standard output has these bytes in it.
    pub fn wait_for_bytes(&mut self, bytes: &[u8], limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let wanted = String::from_utf8_lossy(bytes);
        while !self.finished.said(bytes) {
            let ended = self.run.advance(&mut self.finished.stdout, &mut self.finished.stderr)?;
            if let Some(outcome) = ended.filter(|_| !self.finished.said(bytes)) {
                let reason = format!("{outcome:?} instead of {wanted:?}; {}", self.finished.describe());
                return Err(Error::Guest(reason));
            }
            if Instant::now() > deadline {
                let reason = format!("no {wanted:?} within {limit:?}; {}", self.finished.describe());
                return Err(Error::Guest(reason));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Sees the script to its end.
    pub fn finish(mut self) -> Result<Finished> {
        let outcome = self.run.finish(&mut self.finished.stdout, &mut self.finished.stderr)?;
        self.finished.outcome = Some(outcome);
        Ok(self.finished)
    }
}

/// What became of a script.
#[derive(Debug, Default)]
pub struct Finished {
    outcome: Option<Outcome>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    folder: PathBuf,
}

impl Finished {
    /// The script's standard output; empty if it is no text.
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_default()
    }

    /// The script's standard error; empty if it is no text.
    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap_or_default()
    }

    /// The script's standard error, as it is.
    pub fn stderr_bytes(&self) -> &[u8] {
        &self.stderr
    }

    /// What a daemon logged.
    pub fn log(&self, daemon: &str) -> io::Result<String> {
        fs::read_to_string(self.folder.join("log").join(format!("{daemon}.log")))
    }

    /// What the system said on its console.
    pub fn console(&self) -> Result<String> {
        let path = self.folder.join("console.log");
        Ok(String::from_utf8_lossy(&fs::read(&path).context("read", &path)?).into_owned())
    }

    /// Every frame that passed the first network device, either way.
    pub fn frames(&self) -> Result<Vec<Vec<u8>>> {
        crate::pcap::read(&self.folder.join("frames.pcap"))
    }

    /// The script's output, if it ended well.
    ///
    /// # Errors
    /// It did not; the error says what it said.
    pub fn success(&self) -> Result<&str> {
        match self.outcome {
            Some(Outcome::Exit(0)) => Ok(self.stdout()),
            outcome => Err(Error::Guest(format!("{outcome:?}; {}", self.describe()))),
        }
    }

    fn said(&self, bytes: &[u8]) -> bool {
        self.stdout.windows(bytes.len()).any(|window| window == bytes)
    }

    fn describe(&self) -> String {
        let folder = self.folder.display();
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|said| String::from_utf8_lossy(said));
        format!("stdout: {}, stderr: {}, more in {folder}", end_of(&stdout), end_of(&stderr))
    }
}

/// As much of a text's end as fits into a message.
fn end_of(text: &str) -> String {
    let lines: Vec<_> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().fold(String::new(), |text, line| text + "\n  " + line)
}
