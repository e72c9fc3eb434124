//! A run of Redox: its console for the user, or a script and what became of it.
//!
//! The script's output comes over the same serial line as the system's own words, in frames
//! ([`runner::frame`]): `serial.log` is the line as it was, `console.log` what is left without the frames.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use runner::frame::{Decoder, Message, Piece};

use super::install::{self, Item, Parts};
use super::{image, script};
use crate::monitor::Monitor;
use crate::nic::{Nic, path};
use crate::qemu::{self, Qemu};
use crate::run::{Follower, Outcome, Script};
use crate::{Context, Error, Result};

/// How long Redox may take from power on to the script's first line.
const BOOT_LIMIT: Duration = Duration::from_secs(180);

/// What Redox's kernel says when it cannot go on.
const PANIC: &str = "KERNEL PANIC";

/// What to boot.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The user's image of Redox.
    pub base: PathBuf,
    /// What of ours goes in.
    pub parts: Parts,
    /// The folder of our programs; not needed for a stock image without a script.
    pub programs: Option<PathBuf>,
    /// Files of the parts that stay out.
    pub left_out: Vec<String>,
    /// Other files that go in, after those.
    pub others: Vec<Item>,
    /// The network devices.
    pub nics: Vec<Nic>,
    /// Whether the first of them has no cable.
    pub unplugged: bool,
    /// What makes its clock go.
    pub clock: Clock,
    /// Every frame of the first of them is written here too.
    pub pcap: Option<PathBuf>,
    /// The script; without one the console is the user's terminal.
    pub script: Option<Vec<u8>>,
    /// How long the script may take.
    pub limit: Option<Duration>,
}

/// What makes a guest's clock go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Time as it passes here.
    #[default]
    Wall,
    /// Instructions, 2 ns each; where there is none to be carried out, the next timer.
    Instructions,
}

/// A running Redox. Dropping it ends it.
#[derive(Debug)]
pub struct Machine {
    qemu: Qemu,
    monitor: Monitor,
    /// The image made for this run, if one was.
    image: Option<PathBuf>,
}

impl Machine {
    /// Makes the image and boots it; the run's files are kept in `folder`.
    pub fn start(plan: &Plan, folder: &Path) -> Result<Self> {
        let image = prepare(plan, folder)?;
        let disk = image.as_deref().unwrap_or(&plan.base);
        let mut command = command(plan, disk, folder);
        let mut monitor = Monitor::new()?;
        monitor.attach(&mut command);
        if plan.unplugged {
            command.arg("-S");
        }
        let qemu = Qemu::start(command, &folder.join("qemu.log"))?;
        if plan.unplugged {
            // Before the first instruction.
            monitor.plug(false)?;
            monitor.begin()?;
        }
        Ok(Self { qemu, monitor, image })
    }

    /// Waits until it is powered off.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.qemu.wait()
    }

    /// Why it ended, if not well.
    pub fn failure(&self, status: ExitStatus) -> Option<String> {
        self.qemu.failure(status)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(image) = &self.image {
            // QEMU may still have it open, which does not matter.
            let _ = fs::remove_file(image);
        }
    }
}

/// The image for this run; none where the base does as it is.
fn prepare(plan: &Plan, folder: &Path) -> Result<Option<PathBuf>> {
    let mut items = Vec::new();
    if let Some(programs) = &plan.programs {
        items.extend(install::items(plan.parts, programs)?);
        items.retain(|item| !plan.left_out.contains(&item.path));
        if let Some(text) = &plan.script {
            items.extend(script::items(text, programs)?);
        }
    }
    items.extend(plan.others.iter().cloned());
    if items.is_empty() {
        return Ok(None);
    }
    let image = folder.join("redox.img");
    image::make(&plan.base, &image, &items)?;
    Ok(Some(image))
}

/// QEMU's command line. Redox writes into a snapshot, so that the image stays as it is. Without a display its boot
/// loader has no video mode to ask for.
fn command(plan: &Plan, disk: &Path, folder: &Path) -> Command {
    let mut command = qemu::command(&folder.join("serial.log"), plan.script.is_none(), &plan.nics, false);
    command.args(["-machine", "q35", "-m", "2G", "-vga", "none", "-snapshot"]);
    if plan.clock == Clock::Instructions {
        // Redox's time by an HPET is wrong; by the PIT it is right.
        let clock = format!("{},sleep=off", qemu::COUNT_INSTRUCTIONS);
        command.args(["-icount", &clock, "-machine", "hpet=off"]);
    }
    command.arg("-drive").arg(format!("if=ide,format=raw,file={}", path(disk)));
    qemu::add_nics(&mut command, &plan.nics, plan.pcap.as_deref());
    command
}

/// A Redox with a script in it. Dropping it ends it.
pub struct Run {
    machine: Machine,
    serial: Follower,
    decoder: Decoder,
    console: Console,
    limit: Option<Duration>,
    deadline: Option<Instant>,
    begun: bool,
}

impl Run {
    /// Boots Redox for the script in `plan`. The plan's limit is for the script; booting has its own.
    pub fn start(plan: &Plan, folder: &Path) -> Result<Self> {
        let serial = folder.join("serial.log");
        File::create(&serial).context("create", &serial)?;
        Ok(Self {
            machine: Machine::start(plan, folder)?,
            serial: Follower::new(folder, "serial.log")?,
            decoder: Decoder::default(),
            console: Console::create(folder)?,
            limit: plan.limit,
            deadline: Some(Instant::now() + BOOT_LIMIT),
            begun: false,
        })
    }

    /// The machine from outside.
    pub fn monitor(&mut self) -> &mut Monitor {
        &mut self.machine.monitor
    }
}

impl Script for Run {
    fn advance(&mut self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<Option<Outcome>> {
        // In this order, so that what came before an end is seen before it.
        let ended = self.machine.qemu.ended()?;
        let mut bytes = Vec::new();
        self.serial.copy(&mut bytes)?;
        for piece in self.decoder.take(&bytes) {
            let output = Path::new("the script's output");
            match piece {
                Piece::Console(bytes) => self.console.add(&bytes)?,
                Piece::Message(Message::Begin) => {
                    self.begun = true;
                    self.deadline = self.limit.map(|limit| Instant::now() + limit);
                }
                Piece::Message(Message::Output(bytes)) => {
                    stdout.write_all(&bytes).context("write", output)?
                }
                Piece::Message(Message::Errors(bytes)) => {
                    stderr.write_all(&bytes).context("write", output)?
                }
                Piece::Message(Message::Status(status)) => return Ok(Some(Outcome::Exit(status))),
            }
        }
        if !bytes.is_empty()
            && let Some(panic) = self.console.line_with(PANIC)
        {
            return Err(Error::Guest(format!("Redox's kernel panicked: {panic}")));
        }
        if let Some(status) = ended {
            let reason = self.machine.failure(status);
            return Err(Error::Guest(
                reason.unwrap_or_else(|| self.console.explain("ended before the script did")),
            ));
        }
        if self.deadline.is_none_or(|deadline| Instant::now() < deadline) {
            return Ok(None);
        }
        if self.begun {
            return Ok(Some(Outcome::TimedOut));
        }
        let seconds = BOOT_LIMIT.as_secs();
        Err(Error::Guest(self.console.explain(&format!("has not begun the script within {seconds} s"))))
    }
}

/// The system's own words, kept in `console.log`.
struct Console {
    file: File,
    path: PathBuf,
    text: Vec<u8>,
}

impl Console {
    fn create(folder: &Path) -> Result<Self> {
        let path = folder.join("console.log");
        Ok(Self { file: File::create(&path).context("create", &path)?, path, text: Vec::new() })
    }

    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.text.extend(bytes);
        self.file.write_all(bytes).context("write", &self.path)
    }

    fn line_with(&self, text: &str) -> Option<String> {
        let console = String::from_utf8_lossy(&self.text);
        console.lines().find(|line| line.contains(text)).map(|line| line.trim().to_owned())
    }

    /// What happened, with the last line that was said.
    fn explain(&self, what: &str) -> String {
        let console = String::from_utf8_lossy(&self.text);
        let last = console.lines().map(str::trim).rfind(|line| !line.is_empty());
        let last =
            last.map_or_else(|| "it said nothing".to_owned(), |line| format!("its last words: {line}"));
        format!("Redox {what}; {last}")
    }
}
