//! How many tests passed, failed and were skipped, and why.

use std::fmt;

/// What became of tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: usize,
    /// Their names.
    failed: Vec<String>,
    /// Their names, each with the reason.
    skipped: Vec<String>,
}

impl Tally {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.skipped.extend(other.skipped);
    }

    /// Adds a step that either passed or failed.
    pub fn step(&mut self, name: &str, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed.push(name.to_owned());
        }
    }

    /// Adds a step that could not be taken.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push(format!("{name}: {reason}"));
    }

    /// Nothing failed.
    pub fn good(&self) -> bool {
        self.failed.is_empty()
    }

    /// A line for each test that failed or was skipped.
    pub fn reasons(&self) -> impl Iterator<Item = String> {
        let failed = self.failed.iter().map(|name| format!("failed: {name}"));
        failed.chain(self.skipped.iter().map(|name| format!("skipped: {name}")))
    }

    /// Takes a line of Rust's test harness into account: `test NAME ... ok`, `... FAILED`, `... ignored, REASON`.
    pub fn libtest_line(&mut self, line: &str) {
        let Some((name, result)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... "))
        else {
            return;
        };
        match result.split_once(", ").unwrap_or((result, "no reason given")) {
            ("ok", _) => self.passed += 1,
            ("FAILED", _) => self.failed.push(name.to_owned()),
            ("ignored", reason) => self.skip(name, reason),
            _ => {}
        }
    }

    /// Takes a line of `config/redox-check.sh` into account: `redox-check: STEP: ok`, `failed: WHY`, `skipped: WHY`.
    pub fn redox_check_line(&mut self, line: &str) {
        let Some(line) = line.strip_prefix("redox-check: ").filter(|line| !line.starts_with("result:"))
        else {
            return;
        };
        if let Some((step, _)) = line.split_once(": ok") {
            self.step(step, true);
        } else if let Some((step, _)) = line.split_once(": failed") {
            self.step(&format!("redox-check: {step}"), false);
        } else if let Some((step, reason)) = line.split_once(": skipped: ") {
            self.skip(&format!("redox-check: {step}"), reason);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let (failed, skipped) = (self.failed.len(), self.skipped.len());
        write!(formatter, "{} passed, {failed} failed, {skipped} skipped", self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_is_understood() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test ring::wraps ... ok",
            "test ring::fills - should panic ... ok",
            "test nic::stops ... FAILED",
            "test lease ... ignored, boots a guest: ./x test guest",
            "test slow ... ignored",
            "test result: FAILED. 2 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            tally.libtest_line(line);
        }
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 2 skipped");
        assert_eq!(
            tally.reasons().collect::<Vec<_>>(),
            [
                "failed: nic::stops",
                "skipped: lease: boots a guest: ./x test guest",
                "skipped: slow: no reason given"
            ]
        );
    }

    #[test]
    fn redox_check_is_understood() {
        let mut tally = Tally::default();
        for line in [
            "redox-check: compiler: ok, rustc 1.96.0",
            "redox-check: build with the pinned crates: ok",
            "redox-check: build with the newest crates: skipped: cargo update failed: offline",
            "redox-check: crates on Redox: failed: not for Redox: rustix",
            "redox-check: result: 1 failed",
        ] {
            tally.redox_check_line(line);
        }
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 1 skipped");
    }
}
