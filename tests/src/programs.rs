//! The workspace's programs, built to run in the guest: static, since the guest has no libraries.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{ChildStderr, Command, Stdio};

use crate::{Context, Error, Result};

/// The guest's machine, as Rust calls it. Named even where it is the host's own, so that the flags below do not
/// reach build scripts and macros.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What cargo says of each thing that it built, as far as it matters here.
#[derive(serde::Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Builds the programs, in a folder of their own (`target/guest`) so that no other build makes cargo begin again,
/// and gives their paths. Shows what is compiled; nothing when all is up to date.
pub fn build() -> Result<Vec<PathBuf>> {
    let mut command = Command::new("cargo");
    command
        .current_dir(crate::workspace())
        .args(["build", "--release", "--workspace", "--bins"])
        // These run on the host and in Redox.
        .args(["--exclude", "testbed", "--exclude", "runner", "--exclude", "sockets"]);
    run_cargo(like_the_guest_s(&mut command))
}

/// Where and how the guest's programs are compiled; what is compiled alike is compiled once.
pub(crate) fn like_the_guest_s(command: &mut Command) -> &mut Command {
    command
        .args(["--target", TRIPLE, "--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(crate::target().join("guest"))
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "none")
}

/// Builds the library that gives the host's programs netd's sockets in the guest, and the program of ours that is one of
/// them; gives the folder of both. It is one of its own, since they are not static.
pub fn build_preload() -> Result<PathBuf> {
    let folder = crate::target().join("preload");
    let mut command = Command::new("cargo");
    command
        .current_dir(crate::workspace())
        .args(["build", "--release", "--package", "preload", "--package", "sockets"])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(&folder);
    run_cargo(&mut command)?;
    Ok(folder.join("release"))
}

/// Runs a build that tells its results as `json-render-diagnostics`, and gives the programs' paths.
pub(crate) fn run_cargo(command: &mut Command) -> Result<Vec<PathBuf>> {
    let program = PathBuf::from(command.get_program());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("start", &program)?;
    let progress = child.stderr.take().map(|stderr| std::thread::spawn(move || show_progress(stderr)));
    let mut programs = Vec::new();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line.context("read the messages of", &program)?;
        let message = serde_json::from_str::<Message>(&line).ok();
        programs.extend(message.and_then(|message| message.executable));
    }
    let status = child.wait().context("wait for", &program)?;
    // A thread that only copies lines has nothing to tell at its end.
    let _ = progress.map(std::thread::JoinHandle::join);
    if status.success() { Ok(programs) } else { Err(Error::Build) }
}

/// Passes cargo's lines on, save the last, which says nothing to one who wanted the guest.
fn show_progress(stderr: ChildStderr) {
    for line in BufReader::new(stderr).lines().map_while(std::io::Result::ok) {
        if !line.trim_start().starts_with("Finished") {
            eprintln!("{line}");
        }
    }
}
