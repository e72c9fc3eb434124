//! The checks of the program `sockets` over Redox's own drivers and network stack.
//!
//! Each has a boot of its own: what one does to the stack shall not count against the next one.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use super::install::{self, Item, PROGRAM, Parts};
use super::run::{Clock, Plan, Run};
use crate::run::{self, Outcome, Script};
use crate::sockets::Peer;
use crate::{Error, Result};

/// The program.
const SOCKETS: &str = "sockets";

/// The host's loopback, as QEMU's user network has it.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// How long a script may take: the program ends each check within a minute, unless the system keeps it from that.
const LIMIT: Duration = Duration::from_secs(90);

/// What a panic of a Redox program begins with, on the console.
const PANIC: &str = "panicked at";

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It failed, and why.
    Failed(String),
}

/// Tries a check over the stock parts of `base`; the program is in the folder `programs`.
///
/// # Errors
/// The image is of no use, or the host refuses.
pub fn try_check(base: &Path, programs: &Path, check: &str) -> Result<Verdict> {
    let failed = |error: io::Error| Error::Guest(format!("cannot serve the guest: {error}"));
    let peer = Peer::start().map_err(failed)?;
    let program = Item::new(&format!("/usr/bin/{SOCKETS}"), PROGRAM, install::program(programs, SOCKETS)?);
    // Stock's dhcpd has had time for a lease by then.
    let script = format!("sleep 5\n{SOCKETS} {check} {}\n", peer.arguments(HOST).join(" "));
    let plan = Plan {
        base: base.to_owned(),
        parts: Parts::Stock,
        programs: Some(programs.to_owned()),
        left_out: Vec::new(),
        others: vec![program],
        nics: vec![peer.nic("e1000")],
        unplugged: false,
        clock: Clock::Wall,
        pcap: None,
        script: Some(script.into_bytes()),
        limit: Some(LIMIT),
    };
    let folder = run::new_folder()?;
    let mut said = Vec::new();
    let outcome = match Run::start(&plan, &folder)?.finish(&mut said, &mut io::sink()) {
        Ok(outcome) => outcome,
        Err(Error::Guest(reason)) => return Ok(Verdict::Failed(reason)),
        Err(error) => return Err(error),
    };
    let console = std::fs::read(folder.join("console.log")).unwrap_or_default();
    Ok(judge(outcome, &String::from_utf8_lossy(&said), &String::from_utf8_lossy(&console)))
}

/// What the program's words and its end, and a panic on the console, come to.
fn judge(outcome: Outcome, said: &str, console: &str) -> Verdict {
    if outcome == Outcome::Exit(0) {
        return Verdict::Passed;
    }
    // `FAILED udp: why`
    let failures = said.lines().filter_map(|line| line.strip_prefix("FAILED ")?.split_once(": "));
    let mut reasons: Vec<_> = failures.map(|(_, why)| why.to_owned()).collect();
    if reasons.is_empty() {
        reasons.push(format!("the program did not say why: {outcome:?}"));
    }
    reasons.extend(console.lines().find(|line| line.contains(PANIC)).map(|line| line.trim().to_owned()));
    Verdict::Failed(reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_tells_why() {
        assert_eq!(judge(Outcome::Exit(0), "ok udp\n", ""), Verdict::Passed);
        let said = "FAILED udp-short: not over within 60 s\n";
        let console = "boot\nthread 'main' panicked at udp.rs:217:\nCan't receive slice\n";
        let why = "not over within 60 s; thread 'main' panicked at udp.rs:217:";
        assert_eq!(judge(Outcome::Exit(1), said, console), Verdict::Failed(why.to_owned()));
        let why = "the program did not say why: TimedOut".to_owned();
        assert_eq!(judge(Outcome::TimedOut, "", ""), Verdict::Failed(why));
    }
}
