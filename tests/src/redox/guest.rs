//! Redox as an integration test sees it: a script in, and what became of it out.

use std::time::Duration;

use super::install::{self, Item, PLAIN, PROGRAM, Parts};
use super::run::{Clock, Plan, Run};
use super::script;
use crate::nic::Nic;
use crate::{Result, run, running};

pub use crate::running::Finished;

/// The variable that names the image, which the user may set.
pub const IMAGE: &str = "REDOX_IMAGE";

/// The variable that names our programs' folder, which `./x redox test` sets.
pub const PROGRAMS: &str = "REDOX_PROGRAMS";

/// How long a test's script may take, if it does not say.
const LIMIT: Duration = Duration::from_secs(120);

/// A Redox in which the script is under way.
pub type Running = running::Running<Run>;

/// A Redox to be.
#[derive(Clone, Debug)]
pub struct Guest {
    plan: Plan,
    keep_frames: bool,
}

impl Guest {
    /// With these parts of ours, and without a network device.
    ///
    /// # Errors
    /// The environment does not name the image and the programs.
    pub fn with(parts: Parts) -> Result<Self> {
        let plan = Plan {
            base: crate::variable(IMAGE)?,
            parts,
            programs: Some(crate::variable(PROGRAMS)?),
            left_out: Vec::new(),
            others: Vec::new(),
            nics: Vec::new(),
            unplugged: false,
            clock: Clock::Wall,
            pcap: None,
            script: None,
            limit: Some(LIMIT),
        };
        Ok(Self { plan, keep_frames: false })
    }

    /// With one more network device.
    #[must_use]
    pub fn nic(mut self, nic: Nic) -> Self {
        self.plan.nics.push(nic);
        self
    }

    /// With this long for the script.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.plan.limit = Some(limit);
        self
    }

    /// With the cable of the first network device out, from the beginning.
    #[must_use]
    pub fn unplugged(mut self) -> Self {
        self.plan.unplugged = true;
        self
    }

    /// With this file.
    #[must_use]
    pub fn file(mut self, path: &str, content: &str) -> Self {
        self.plan.others.push(Item::new(path, PLAIN, content.into()));
        self
    }

    /// Without this file of ours.
    #[must_use]
    pub fn without_file(mut self, path: &str) -> Self {
        self.plan.left_out.push(path.to_owned());
        self
    }

    /// Without what this unit of the image's would start.
    #[must_use]
    pub fn without_unit(mut self, name: &str) -> Self {
        self.plan.others.push(script::idle_unit(name));
        self
    }

    /// With a driver in the place of the one of this name that ends as soon as it is started.
    ///
    /// # Errors
    /// There is no program for that.
    pub fn driver_that_ends(mut self, name: &str) -> Result<Self> {
        let programs = crate::variable(PROGRAMS)?;
        self.plan.others.push(script::ends_at_once(&format!("/usr/lib/drivers/{name}"), &programs)?);
        Ok(self)
    }

    /// With each driver of ours told to use this kind of interrupt alone: `intx`, `msi` or `msix`.
    ///
    /// # Errors
    /// The drivers' entries cannot be read.
    pub fn interrupt(mut self, kind: &str) -> Result<Self> {
        self.plan.others.extend(install::with_arguments(&["--interrupt", kind])?);
        Ok(self)
    }

    /// With this program of ours beside the parts, in `/usr/bin`.
    ///
    /// # Errors
    /// It has not been built.
    pub fn program(mut self, name: &str) -> Result<Self> {
        let content = install::program(&crate::variable(PROGRAMS)?, name)?;
        self.plan.others.push(Item::new(&format!("/usr/bin/{name}"), PROGRAM, content));
        Ok(self)
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
        self.plan.script = Some(script.as_bytes().to_vec());
        self.plan.pcap = self.keep_frames.then(|| folder.join("frames.pcap"));
        Ok(Running::new(Run::start(&self.plan, &folder)?, folder))
    }

    /// Boots it and sees the script to its end.
    pub fn run(self, script: &str) -> Result<Finished> {
        self.start(script)?.finish()
    }
}
