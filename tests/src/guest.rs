//! A guest as an integration test sees it: a script in, and what became of it out.

use std::time::Duration;

use crate::image::Settings;
use crate::machine::Plan;
use crate::nic::Nic;
use crate::run::{self, Run};
use crate::{Result, running};

pub use crate::running::Finished;

/// How long a test's script may take, if it does not say.
const LIMIT: Duration = Duration::from_secs(60);

/// A guest in which the script is under way.
pub type Running = running::Running<Run>;

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

    /// With neither drivers nor netd: its devices are left to Linux.
    #[must_use]
    pub fn without_drivers(mut self) -> Self {
        self.plan.settings.no_drivers = true;
        self.without_netd()
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

    /// With a clock that goes by the instructions that it carries out.
    #[must_use]
    pub fn counts_instructions(mut self, counts: bool) -> Self {
        self.plan.counts_instructions = counts;
        self
    }

    /// Run by the newer of two QEMUs.
    #[must_use]
    pub fn newer(mut self) -> Self {
        self.plan.newer = true;
        self
    }

    /// With these modules of its kernel's in /lib/kept, in this order, and not loaded.
    #[must_use]
    pub fn kept_modules(mut self, names: &[&str]) -> Self {
        self.plan.settings.kept_modules = names.iter().map(ToString::to_string).collect();
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
        Ok(Running::new(run, folder))
    }

    /// Boots it and sees the script to its end.
    pub fn run(self, script: &str) -> Result<Finished> {
        self.start(script)?.finish()
    }
}
