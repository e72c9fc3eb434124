//! What the RFCs ask of TCP on the wire, as scripts (`scripts/*.tcp`): a peer's segments, ours, and a program's calls.

mod runner;
mod script;

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use smoltcp::wire::TcpSeqNumber;

use self::runner::Runner;
use self::script::Version;
use super::*;

/// The scripts that fail, and why: `NAME: REASON`.
const EXPECTED: &str = include_str!("expected-failures");

/// The scripts by their names, with what they say.
fn scripts() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/stack/tests/conformance/scripts");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            (file.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// Carries a script out over each version of IP that it is true of.
fn run(text: &str) -> Result<(), String> {
    let script = script::parse(text)?;
    for version in [Version::V4, Version::V6] {
        if script.only.is_none_or(|only| only == version) {
            Runner::run(&script.steps, version).map_err(|what| format!("{what} ({version:?})"))?;
        }
    }
    Ok(())
}

#[test]
fn every_script_ends_as_is_expected() {
    let scripts = scripts();
    let failures: BTreeMap<_, _> = EXPECTED.lines().filter_map(|line| line.split_once(": ")).collect();
    let unknown = failures.keys().filter(|name| !scripts.contains_key(**name));
    let mut surprises: Vec<_> = unknown.map(|name| format!("{name}: there is no such script")).collect();
    for (name, text) in &scripts {
        match (run(text), failures.get(name.as_str())) {
            (Ok(()), Some(reason)) => surprises.push(format!("{name}: it passes, though {reason}")),
            (Err(what), None) => surprises.push(format!("{name}: {what}")),
            _ => {}
        }
    }
    assert!(surprises.is_empty(), "of {} scripts:\n{}", scripts.len(), surprises.join("\n"));
}

#[test]
fn a_script_that_is_not_so_fails() {
    const HANDSHAKE: &str = "listen\n< S 0\n> SA 0 ack 1\n< A 1 ack 1\naccept\n";
    assert_eq!(run(HANDSHAKE), Ok(()));
    for (lines, reason) in [
        ("> A 1", "line 6: we have sent nothing"),
        ("< A 1+10 ack 1\nnothing for 1s", "line 7: we have sent"),
        ("< A 1+10 ack 1\n1s..2s > A 1 ack 11", "line 7: it came after"),
        ("< A 1+10 ack 1\n> A 1 ack 10", "line 7: we have sent"),
        ("< A 1+10 ack 1\nread 10 -> 9", "line 7: read 10 gives 10"),
        ("write 10", "the end: we have sent"),
        ("jump", "line 6: there is no call jump"),
    ] {
        let result = run(&format!("{HANDSHAKE}{lines}"));
        assert!(result.as_ref().is_err_and(|what| what.starts_with(reason)), "{lines}: {result:?}");
    }
}
