//! What a driver costs on the host, beside the model of its device: `drivers/*/benches/cost.rs`, counted by callgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PATIENCE, benchmark, not_understood, output};
use crate::{Context, Error, Result, programs};

/// Within the first, instructions count; within the others, which it calls and behind which the model is, they do not.
const TOGGLES: [&str; 3] =
    ["models::cost::counted*", "hw::fake::Registers<M>::read*", "hw::fake::Registers<M>::write*"];

/// Where a case begins, and where it ends.
const BEGIN: &str = "models::cost::begin*";
const END: &str = "models::cost::end*";

/// What one case costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// `receive`, `transmit` or `forward`.
    pub case: String,
    /// Bytes of a frame, without FCS.
    pub length: u32,
    /// Frames at a time.
    pub batch: u32,
    /// Instructions for each frame.
    pub instructions: f64,
    /// Register accesses for each batch.
    pub accesses: f64,
}

/// The drivers that have the benchmark, by their folders.
pub fn all() -> Result<Vec<String>> {
    let folder = crate::workspace().join("drivers");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("list", &folder)? {
        let entry = entry.context("list", &folder)?;
        if entry.path().join("benches/cost.rs").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Counts every case of `driver`.
pub fn count(driver: &str) -> Result<Vec<Cost>> {
    let program = build(driver)?;
    let folder = tempfile::tempdir().context("make a folder in", &std::env::temp_dir())?;
    let file = folder.path().join("counts");
    let mut command = Command::new("timeout");
    command
        .args([PATIENCE, "valgrind", "--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args(TOGGLES.map(|function| format!("--toggle-collect={function}")))
        .arg(format!("--zero-before={BEGIN}"))
        .arg(format!("--dump-after={END}"))
        .arg(&program);
    let text = output(&mut command, Path::new("valgrind"))?;
    let cases = text.lines().filter_map(case);
    let costs: Vec<_> = cases
        .zip(1_usize..)
        .map(|((cost, frames, accesses), number)| {
            let counted = total(&file.with_extension(number.to_string()))?;
            let batches = frames / f64::from(cost.batch);
            Ok(Cost { instructions: counted / frames, accesses: accesses / batches, ..cost })
        })
        .collect::<Result<_>>()?;
    if costs.is_empty() { Err(not_understood(&text)) } else { Ok(costs) }
}

/// Builds the benchmark as the drivers themselves are built for the guest.
fn build(driver: &str) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.current_dir(crate::workspace());
    command.args(["build", "--release", "--package", driver, "--bench", "cost"]);
    let built = programs::run_cargo(programs::like_the_guest_s(&mut command))?;
    benchmark(built, "cost-")
}

/// A case that was measured, its frames, and its register accesses.
fn case(line: &str) -> Option<(Cost, f64, f64)> {
    let [case, length, batch, frames, accesses] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let cost = Cost {
        case: case.to_owned(),
        length: length.parse().ok()?,
        batch: batch.parse().ok()?,
        instructions: 0.0,
        accesses: 0.0,
    };
    Some((cost, frames.parse().ok()?, accesses.parse().ok()?))
}

/// The instructions that a file of callgrind's tells of, which has the names of the functions that they are in.
fn total(path: &Path) -> Result<f64> {
    let text = fs::read_to_string(path).context("read", path)?;
    if text.contains("hw::fake::") {
        return Err(Error::Missing("callgrind counted the device's instructions, too".to_owned()));
    }
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| not_understood(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_benchmark_is_a_case() {
        let (cost, frames, accesses) = case("receive 64 32 4096 128").expect("it is well-formed");
        assert_eq!((cost.case.as_str(), cost.length, cost.batch), ("receive", 64, 32));
        assert_eq!((frames, accesses), (4096.0, 128.0));
        assert_eq!(case("==1234== Callgrind, a call-graph generating cache profiler"), None);
    }
}
