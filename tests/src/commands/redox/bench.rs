//! `./x redox bench`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use testbed::redox::bench::Bench;

use super::{Base, Programs};

/// Counts what operations cost in Redox: over its own drivers and stack, and over ours.
///
/// Both are booted in the same machine, whose clock counts instructions, with the same program. A table tells the
/// instructions of each operation in both, their ratio, how far single batches were from the median, and the context
/// switches; and how many frames are lost at growing rates, by the wall clock.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    programs: Programs,
    /// How often each is booted
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    boots: u32,
    /// Where the figures go as JSON [default: redox-bench.json in the target folder]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures, and prints the table.
pub fn run(arguments: &Arguments) -> crate::commands::Result {
    let (base, programs) = (arguments.base.path()?, arguments.programs.folder()?);
    let bench = Bench { base: &base, programs: &programs, boots: arguments.boots };
    let report = bench.run(&mut |step| eprintln!("x: {step}"))?;
    print!("{report}");
    let file = arguments.json.clone().unwrap_or_else(|| testbed::target().join("redox-bench.json"));
    fs::write(&file, format!("{:#}\n", report.json()))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    eprintln!("x: the same as JSON is in {}", file.display());
    Ok(ExitCode::SUCCESS)
}
