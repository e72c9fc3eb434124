//! What is asked of a device beside its settings: to test itself, to tell what its EEPROM holds, to show which one it
//! is.

use std::time::{Duration, Instant};

use crate::attributes::{Refused, text};
use crate::node::Node;

/// Longest time for which a device shows which one it is, in seconds: a day.
const LONGEST: u64 = 86_400;

/// What was asked, and is not done yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// A self test.
    pub self_test: bool,
    /// What the EEPROM holds.
    pub eeprom: bool,
    /// What the registers hold.
    pub registers: bool,
    /// The device's LED shows which device it is, until then.
    pub identify_until: Option<Instant>,
}

impl Requests {
    /// Takes what was written to `node`, at the time `now`.
    pub fn write(&mut self, node: Node, written: &[u8], now: Instant) -> Result<(), Refused> {
        let line = text(written)?.trim();
        match node {
            Node::SelfTest if line == "run" => self.self_test = true,
            Node::SelfTest => return Err(Refused::UnknownLine { line: line.to_owned(), known: "`run`" }),
            Node::Identify => {
                let seconds = line.parse().map_err(|_| Refused::NotANumber(line.to_owned()))?;
                if seconds > LONGEST {
                    return Err(Refused::OutOfRange { least: 0, most: LONGEST as usize });
                }
                self.identify_until = Some(now + Duration::from_secs(seconds));
            }
            _ => return Err(Refused::Unsupported),
        }
        Ok(())
    }

    /// The `identify` node: for how many seconds more.
    pub fn identify(&self, now: Instant) -> String {
        let left = self.identify_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        format!("{}\n", left.as_millis().div_ceil(1000))
    }
}
