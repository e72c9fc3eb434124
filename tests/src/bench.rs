//! What the stack costs on the host: `netd/benches/stack`, against the clock or counted by callgrind.

pub mod beside;
pub mod drivers;
pub mod guest;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Context, Error, Result, programs};

/// The function of the benchmark within which instructions count.
const COUNTED: &str = "stack::bed::counted*";

/// How many seconds a count may take.
const PATIENCE: &str = "600";

/// The benchmark, built.
pub struct Stack {
    program: PathBuf,
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// On the clock, for both hosts.
    pub seconds: f64,
    /// Memory of the idle connections, in bytes.
    pub idle_bytes: f64,
}

impl Stack {
    /// Builds it, beside the guest's programs, with which it shares most of what is compiled.
    pub fn build() -> Result<Self> {
        let mut command = Command::new("cargo");
        command.current_dir(crate::workspace()).args([
            "build",
            "--release",
            "--package",
            "netd",
            "--features",
            "internals",
            "--bench",
            "stack",
        ]);
        let built = programs::run_cargo(programs::like_the_guest_s(&mut command))?;
        Ok(Self { program: benchmark(built, "stack-")? })
    }

    /// Does `units` of `case` beside `idle` silent connections, as fast as it goes.
    pub fn time(&self, case: &str, units: usize, idle: usize) -> Result<Run> {
        let mut command = Command::new(&self.program);
        let text = output(command.args(arguments(case, units, idle)), &self.program)?;
        let seconds = value(&text, "seconds ").ok_or_else(|| not_understood(&text))?;
        let idle_bytes = value(&text, "idle_bytes ").ok_or_else(|| not_understood(&text))?;
        Ok(Run { seconds, idle_bytes })
    }

    /// Counts the instructions of one host for the same.
    pub fn count(&self, case: &str, units: usize, idle: usize) -> Result<f64> {
        let valgrind = Path::new("valgrind");
        let mut command = Command::new("timeout");
        command
            .args([
                PATIENCE,
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                "--collect-atstart=no",
            ])
            .arg(format!("--toggle-collect={COUNTED}"))
            .arg(&self.program)
            .args(arguments(case, units, idle));
        let text = output(&mut command, valgrind)?;
        text.lines()
            .find_map(|line| value(line.split_once("Collected :")?.1, ""))
            .ok_or_else(|| not_understood(&text))
    }
}

/// The program whose name begins so. Cargo tells of the package's other programs, too.
fn benchmark(built: Vec<PathBuf>, begin: &str) -> Result<PathBuf> {
    let is_it =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begin));
    built.into_iter().find(is_it).ok_or(Error::Build)
}

fn arguments(case: &str, units: usize, idle: usize) -> [String; 3] {
    [case.to_owned(), units.to_string(), idle.to_string()]
}

/// All that a program says.
fn output(command: &mut Command, program: &Path) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context("run", program)?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(text.into_owned()),
        false => Err(Error::Missing(format!("{} failed ({}): {text}", program.display(), output.status))),
    }
}

/// The number after `name` at the start of a line.
fn value(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn not_understood(text: &str) -> Error {
    Error::Missing(format!("the benchmark said something else than expected: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_idle_connections_leave_nine_tenths_of_the_throughput() {
        let stack = Stack::build().expect("the benchmark builds");
        let count = |idle| stack.count("tcp-receive", 1_000_000, idle).expect("valgrind counts");
        let (alone, beside) = (count(0), count(10_000));
        assert!(alone > 100_000.0, "nothing was counted: {alone} instructions");
        assert!(alone / beside >= 0.9, "{alone} instructions alone, {beside} beside 10,000 idle connections");
    }
}
