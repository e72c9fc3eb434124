//! `./x bench`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use testbed::bench::Stack;

/// Measures what things cost, prints it as a table, and writes it as JSON into target/bench.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum What {
    /// The stack without a system: two hosts on a wire in memory, in one thread on this machine
    ///
    /// Rates are by the clock, of both hosts together. Instructions are those of one host, counted by callgrind,
    /// and the same from run to run.
    Stack,
}

/// One thing that is measured.
struct Row {
    case: &'static str,
    unit: &'static str,
    /// How many units on the clock, and how many counted.
    timed: usize,
    counted: usize,
}

const ROWS: [Row; 8] = [
    Row { case: "tcp-receive", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-send", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-receive-offloaded", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-send-offloaded", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-loopback", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "udp-round-trip", unit: "round trip", timed: 200_000, counted: 1_000 },
    Row { case: "connect", unit: "connection", timed: 20_000, counted: 500 },
    Row { case: "accept", unit: "connection", timed: 20_000, counted: 500 },
];

/// Connections that idle beside a transfer, and those whose memory is looked at.
const IDLE: [usize; 4] = [0, 100, 1_000, 10_000];
const HELD: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Measures as asked.
pub fn run(arguments: &Arguments) -> super::Result {
    match arguments.what {
        What::Stack => stack(),
    }
}

fn stack() -> super::Result {
    let stack = Stack::build()?;
    println!("{:<22} {:>16} {:>22}", "", "per second", "instructions");
    let rows = ROWS.iter().map(|row| measure(&stack, row)).collect::<Result<Vec<_>, _>>()?;
    println!("\n{:<16} {:>22} {:>16}", "idle connections", "instructions a byte", "of none");
    let idle = beside_idle(&stack)?;
    println!("\n{:<16} {:>22}", "open connections", "memory of each");
    let held = memory(&stack)?;
    let directory = testbed::target().join("bench");
    std::fs::create_dir_all(&directory)?;
    let path = directory.join("stack.json");
    let report = json!({ "costs": rows, "beside_idle": idle, "memory": held });
    std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
    println!("\nwritten to {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn measure(stack: &Stack, row: &Row) -> testbed::Result<Value> {
    let rate = row.timed as f64 / stack.time(row.case, row.timed, 0)?.seconds;
    let instructions = stack.count(row.case, row.counted, 0)? / row.counted as f64;
    println!("{:<22} {rate:>16.0} {instructions:>14.1} a {}", row.case, row.unit);
    Ok(json!({
        "case": row.case,
        "unit": row.unit,
        "units_per_second": rate,
        "instructions_per_unit": instructions,
    }))
}

fn beside_idle(stack: &Stack) -> testbed::Result<Vec<Value>> {
    const BYTES: usize = 1_000_000;
    let mut alone = None;
    let measured = IDLE.map(|idle| {
        let instructions = stack.count("tcp-receive", BYTES, idle)? / BYTES as f64;
        let share = *alone.get_or_insert(instructions) / instructions;
        println!("{idle:<16} {instructions:>22.2} {:>14.1} %", share * 100.0);
        Ok(json!({ "idle": idle, "instructions_per_byte": instructions, "share_of_none": share }))
    });
    measured.into_iter().collect()
}

fn memory(stack: &Stack) -> testbed::Result<Vec<Value>> {
    let measured = HELD.map(|held| {
        let each = stack.time("idle", 0, held)?.idle_bytes / held as f64;
        println!("{held:<16} {:>18.1} KiB", each / 1024.0);
        Ok(json!({ "connections": held, "bytes_each": each }))
    });
    measured.into_iter().collect()
}
