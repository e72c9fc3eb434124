//! Compares Redox's own network stack and drivers with ours: the same program in the same machine, boot by boot.
//!
//! QEMU counts instructions (`-icount shift=1,sleep=off`): each takes 2 ns of the guest's time, so that a time is a
//! number of instructions, and an idle guest's clock jumps to its next timer. That clock is the PIT here: where
//! Redox finds an HPET it computes times that are off by up to 45 %. The e1000 interrupts at once
//! (`mitigation=off`), since otherwise the median would be the 128 us that QEMU keeps between two interrupts.

mod report;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub use self::report::Report;

use self::report::{Column, Measured};
use super::install::{self, Item, PROGRAM, Parts};
use super::run::{Clock, Plan, Run};
use super::script;
use crate::nic::{self, Link, Nic};
use crate::peer::Peer;
use crate::run::{self, Outcome, Script};
use crate::supply::Supply;
use crate::{Context, Error, Result, server};

/// The program that measures.
const COST: &str = "cost";

/// Batches of each kind in a boot.
const BATCHES: u32 = 3;

/// What QEMU's TFTP server has: a file of more blocks than are asked for.
const FILE: &str = "blocks";
const FILE_SIZE: u64 = 4_000_000;

/// How long one boot's script may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The device, without QEMU's pause between two interrupts.
const DEVICE: &str = "e1000,mitigation=off";

/// Frames a second, of 1514 bytes, for the wall clock.
const RATES: [u32; 5] = [1000, 2000, 4000, 6000, 8000];

/// The unit whose place one that does nothing takes where the drivers are measured alone.
const NETWORK_UNIT: &str = "10_smolnetd.service";

/// What is compared, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The user's image of Redox.
    pub base: &'a Path,
    /// The folder of our programs.
    pub programs: &'a Path,
    /// How often everything is booted.
    pub boots: u32,
}

impl Bench<'_> {
    /// Boots both, and tells `progress` of each boot.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<Report> {
        let failed = |error: io::Error| Error::Guest(format!("cannot serve the guest: {error}"));
        let stream = server::stream().map_err(failed)?;
        let mut report = Report::default();
        for (column, parts, name) in
            [(Column::Stock, Parts::Stock, "stock"), (Column::Ours, Parts::All, "ours")]
        {
            for boot in 1..=self.boots {
                progress(&format!("{name}: boot {boot} of {}", self.boots));
                for line in self.sockets(parts, stream)?.lines().chain(self.frames(parts)?.lines()) {
                    report.add(column, Measured::parse(line)?);
                }
            }
            progress(&format!("{name}: frames against the wall clock"));
            for line in self.rates(parts)?.lines() {
                report.add_rate(column, line)?;
            }
        }
        Ok(report)
    }

    fn sockets(&self, parts: Parts, stream: SocketAddr) -> Result<String> {
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let file = folder.path().join(FILE);
        File::create(&file).and_then(|file| file.set_len(FILE_SIZE)).context("write", &file)?;
        let link = Link::User(format!("tftp={}", nic::path(folder.path())));
        let nic = Nic { model: DEVICE.to_owned(), link };
        // A lease takes a moment, of which the clock makes nothing.
        let script = format!("sleep 3\n{COST} sockets 10.0.2.2 {FILE} {} {BATCHES}\n", stream.port());
        self.boot(parts, Clock::Instructions, vec![nic], Vec::new(), &script)
    }

    fn frames(&self, parts: Parts) -> Result<String> {
        let mut script = format!("{COST} frames {BATCHES}\n");
        if parts != Parts::Stock {
            script += &format!("{COST} streams {BATCHES}\n");
        }
        self.boot_drivers(parts, Clock::Instructions, &script)
    }

    fn rates(&self, parts: Parts) -> Result<String> {
        let rates = RATES.map(|rate| rate.to_string()).join(" ");
        self.boot_drivers(parts, Clock::Wall, &format!("{COST} rates {rates}\n"))
    }

    /// Boots it with two devices and no network stack, which would take frames from the program.
    fn boot_drivers(&self, parts: Parts, clock: Clock, script: &str) -> Result<String> {
        let peer = Peer::new()?;
        let nics = vec![Nic::user(DEVICE), peer.nic(DEVICE)];
        let _supply = Supply::start(peer);
        let unit = script::idle_unit(NETWORK_UNIT);
        self.boot(parts, clock, nics, vec![unit], script)
    }

    /// What the script says.
    fn boot(
        &self,
        parts: Parts,
        clock: Clock,
        nics: Vec<Nic>,
        mut others: Vec<Item>,
        script: &str,
    ) -> Result<String> {
        others.push(Item::new(&format!("/usr/bin/{COST}"), PROGRAM, install::program(self.programs, COST)?));
        let plan = Plan {
            base: self.base.to_owned(),
            parts,
            programs: Some(self.programs.to_owned()),
            left_out: Vec::new(),
            others,
            nics,
            unplugged: false,
            clock,
            pcap: None,
            script: Some(script.as_bytes().to_vec()),
            limit: Some(LIMIT),
        };
        let folder = run::new_folder()?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let outcome = Run::start(&plan, &folder)?.finish(&mut stdout, &mut stderr)?;
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        match outcome {
            Outcome::Exit(0) => Ok(stdout.into_owned()),
            outcome => Err(Error::Guest(format!(
                "{COST} has not measured all: {outcome:?}; it said: {stderr}{stdout}more in {}",
                folder.display()
            ))),
        }
    }
}
