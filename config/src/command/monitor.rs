//! What changes, as it happens.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};

use serde_json::json;

use super::{node, print};
use crate::node::Failure;

/// Prints each change, until it is stopped.
pub fn run(as_json: bool) -> Result<(), Failure> {
    let path = node("events");
    let failure = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => Failure::NoScheme { path: path.clone(), source },
        _ => Failure::Read { path: path.clone(), source },
    };
    for line in BufReader::new(File::open(&path).map_err(failure)?).lines() {
        let line = line.map_err(failure)?;
        let kind = line.split(' ').next().unwrap_or_default();
        match as_json {
            true => print(format!("{}\n", json!({ "kind": kind, "text": line })).as_bytes())?,
            false => print(format!("{line}\n").as_bytes())?,
        }
    }
    Ok(())
}
