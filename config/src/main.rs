//! The `netcfg` command: shows and changes the network as people or programs like it.

mod cli;
mod command;
mod node;
mod status;
mod table;
mod text;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Options;
use crate::node::Failure;

fn main() -> ExitCode {
    let Options { command, json } = Options::parse();
    match command::run(command, json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netcfg: {error}");
            ExitCode::FAILURE
        }
    }
}
