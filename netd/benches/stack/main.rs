//! What the stack costs: `stack CASE UNITS IDLE` does it UNITS times beside IDLE silent connections.
//!
//! `./x bench stack` runs it, once against the clock and once counting the instructions of [`bed::counted`].

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to say")]

mod bed;
mod cases;

use std::process::ExitCode;
use std::time::Instant;

use bed::Bed;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let numbers: Option<Vec<usize>> = arguments.iter().skip(1).map(|word| word.parse().ok()).collect();
    let (Some(case), Some([units, idle])) =
        (arguments.first().and_then(|name| cases::find(name)), numbers.as_deref())
    else {
        eprintln!("usage: stack CASE UNITS IDLE, where CASE is one of {}", cases::names().join(", "));
        return ExitCode::FAILURE;
    };
    let mut bed = Bed::new();
    let listener = bed.listen();
    let before = resident();
    // Their ids are of no use to anybody, but the connections stay.
    let _ = bed.add_idle(listener, *idle);
    let memory = resident().saturating_sub(before);
    let start = Instant::now();
    case(&mut bed, listener, *units);
    println!("seconds {}", start.elapsed().as_secs_f64());
    println!("idle_bytes {memory}");
    ExitCode::SUCCESS
}

/// Bytes of memory that this process has from the system.
fn resident() -> usize {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * PAGE
}
