//! The test bed's commands, behind `./x`.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The status that says that the test bed itself failed, not what it ran (as `timeout` has it).
const FAILED: u8 = 125;

/// The one entry to netd: runs the guest, the tests, the benchmarks and the fuzzers.
#[derive(Debug, Parser)]
#[command(name = "./x", bin_name = "./x", disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(commands::bench::Arguments),
    Features(commands::features::Arguments),
    Fuzz(commands::fuzz::Arguments),
    Run(commands::run::Arguments),
    Test(commands::test::Arguments),
    Redox(commands::redox::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Features(arguments) => commands::features::run(&arguments),
        Command::Fuzz(arguments) => commands::fuzz::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Redox(arguments) => commands::redox::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("x: {error}");
        ExitCode::from(FAILED)
    })
}
