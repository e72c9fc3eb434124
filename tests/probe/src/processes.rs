//! Redox's processes, as its kernel lists them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;

/// The kernel's list: a heading, then a line a thread, which begins with its process and ends with its program.
const LIST: &str = "/scheme/sys/context";

/// Kills the oldest process of the program `name`, which is the daemon itself; the other is its heir.
pub fn kill(name: &str) -> Result<(), Box<dyn Error>> {
    let process = of(name)?.pop_first().ok_or_else(|| format!("there is no process of {name} to kill"))?;
    Ok(libredox::call::kill(process, KILL)?)
}

/// `SIGKILL`.
const KILL: u32 = 9;

/// The ids of the processes of a program.
fn of(name: &str) -> Result<BTreeSet<usize>, Box<dyn Error>> {
    let list = fs::read_to_string(LIST)?;
    let lines = list.lines().map(str::split_whitespace);
    let is_it = |program: &str| program.rsplit('/').next() == Some(name);
    let found = lines.filter_map(|mut words| Some((words.next()?.parse().ok()?, words.last()?)));
    Ok(found.filter(|(_, program)| is_it(program)).map(|(process, _)| process).collect())
}
