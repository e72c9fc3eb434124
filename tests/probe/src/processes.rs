//! Redox's processes, as its kernel lists them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;

/// The kernel's list: a heading, then a line a thread, which begins with its process and ends with its program.
const LIST: &str = "/scheme/sys/context";

/// Kills every process of the program `name`, and says how many that were; none is an error.
pub fn kill(name: &str) -> Result<(), Box<dyn Error>> {
    let processes = of(name)?;
    for process in &processes {
        libredox::call::kill(*process, KILL)?;
    }
    if processes.is_empty() {
        return Err(format!("there is no process of {name} to kill").into());
    }
    println!("killed {}", processes.len());
    Ok(())
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
