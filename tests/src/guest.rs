//! A guest as an integration test sees it: a script in, and what became of it out.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::image::Settings;
use crate::machine::Plan;
use crate::nic::Nic;
use crate::run::{self, Outcome, POLL, Run};
use crate::{Error, Result};

/// How long a test's script may take, if it does not say.
const LIMIT: Duration = Duration::from_secs(60);

/// A guest to be.
#[derive(Clone, Debug)]
pub struct Guest {
    plan: Plan,
    keep_frames: bool,
}

impl Default for Guest {
    fn default() -> Self {
        let settings = Settings { limit: Some(LIMIT), ..Settings::default() };
        Self { plan: Plan { settings, ..Plan::default() }, keep_frames: false }
    }
}

impl Guest {
    /// With one more network device.
    #[must_use]
    pub fn nic(mut self, nic: Nic) -> Self {
        self.plan.nics.push(nic);
        self
    }

    /// With these programs of the host's, and the library that gives them netd's sockets.
    #[must_use]
    pub fn programs(mut self, names: &[&str]) -> Self {
        self.plan.settings.programs = names.iter().map(ToString::to_string).collect();
        self
    }

    /// With the drivers only.
    #[must_use]
    pub fn without_netd(mut self) -> Self {
        self.plan.settings.no_netd = true;
        self
    }

    /// With drivers that use this kind of interrupt alone (`msix`, `msi`, `intx`).
    #[must_use]
    pub fn interrupt(mut self, kind: &str) -> Self {
        self.plan.settings.interrupt = Some(kind.to_owned());
        self
    }

    /// With this long for the script.
    #[must_use]
    pub fn limit(mut self, seconds: u64) -> Self {
        self.plan.settings.limit = Some(Duration::from_secs(seconds));
        self
    }

    /// With the first network device's frames kept ([`Finished::frames`]).
    #[must_use]
    pub fn keep_frames(mut self) -> Self {
        self.keep_frames = true;
        self
    }

    /// Boots it and begins the script.
    pub fn start(mut self, script: &str) -> Result<Running> {
        let folder = run::new_folder()?;
        self.plan.settings.script = Some(script.as_bytes().to_vec());
        self.plan.pcap = self.keep_frames.then(|| folder.join("frames.pcap"));
        let run = Run::start(&self.plan, &folder)?;
        Ok(Running { run, finished: Finished { folder, ..Finished::default() } })
    }

    /// Boots it and sees the script to its end.
    pub fn run(self, script: &str) -> Result<Finished> {
        self.start(script)?.finish()
    }
}

/// A guest in which the script is under way. Dropping it ends it.
pub struct Running {
    run: Run,
    finished: Finished,
}

impl Running {
    /// Waits until the script has said `text`; gives all that it has said by then.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> Result<&str> {
        let deadline = Instant::now() + limit;
        while !self.finished.stdout().contains(text) {
            let ended = self.run.advance(&mut self.finished.stdout, &mut self.finished.stderr)?;
            if let Some(outcome) = ended.filter(|_| !self.finished.stdout().contains(text)) {
                let reason = format!("{outcome:?} instead of {text:?}; {}", self.finished.describe());
                return Err(Error::Guest(reason));
            }
            if Instant::now() > deadline {
                let reason = format!("no {text:?} within {limit:?}; {}", self.finished.describe());
                return Err(Error::Guest(reason));
            }
            thread::sleep(POLL);
        }
        Ok(self.finished.stdout())
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

    fn describe(&self) -> String {
        let folder = self.folder.display();
        format!("stdout: {}, stderr: {}, more in {folder}", end_of(self.stdout()), end_of(self.stderr()))
    }
}

/// As much of a text's end as fits into a message.
fn end_of(text: &str) -> String {
    let lines: Vec<_> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().fold(String::new(), |text, line| text + "\n  " + line)
}
