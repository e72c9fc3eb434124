//! `./x bench`.

mod beside;
mod guest;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use testbed::bench::Stack;
use testbed::bench::drivers::{self, Cost};

/// Measures what things cost, prints it as a table, and writes it as JSON into target/bench.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// The stack without a system: two hosts on a wire in memory, in one thread on this machine
    ///
    /// Rates are by the clock, of both hosts together. Instructions are those of one host, counted by callgrind,
    /// and the same from run to run.
    Stack {
        /// Measures netd in the guest instead, over its schemes, a driver and its device, with a Linux at the other end
        ///
        /// Rates are by the clock, in an emulated machine. Instructions are those of the whole guest; QEMU counts them in
        /// a boot of their own. It needs root, for the Linux' network.
        #[arg(long)]
        guest: bool,
        /// QEMU's model of the guest's network device
        #[arg(long, default_value = "e1000", requires = "guest")]
        nic: String,
    },
    /// The drivers without their engine and without a system, each on the model of its device
    ///
    /// Instructions are those of the driver alone, counted by callgrind, and the same from run to run.
    Nic {
        /// Measures them in the guest instead, beside Linux's own for the same device
        ///
        /// Raw frames go by `frame` and by a packet socket, TCP by netd and by Linux's stack. Rates are by the clock, in an
        /// emulated machine. Instructions are those of the whole guest; QEMU counts them in a boot of their own.
        #[arg(long)]
        guest: bool,
        /// Only this model of QEMU's; may be given several times
        #[arg(long, requires = "guest")]
        nic: Vec<String>,
    },
}

/// One thing that is measured.
struct Row {
    case: &'static str,
    unit: &'static str,
    /// How many units on the clock, and how many counted.
    timed: usize,
    counted: usize,
}

const ROWS: [Row; 9] = [
    Row { case: "tcp-receive", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-send", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-receive-offloaded", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-send-offloaded", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
    Row { case: "tcp-send-segments", unit: "byte", timed: 500_000_000, counted: 5_000_000 },
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
    match &arguments.what {
        What::Stack { guest: true, nic } => write("stack-guest.json", &guest::stack(nic)?),
        What::Stack { guest: false, .. } => stack(),
        What::Nic { guest: true, nic } => write("nic-guest.json", &beside::nic(nic)?),
        What::Nic { guest: false, .. } => nic(),
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
    write("stack.json", &json!({ "costs": rows, "beside_idle": idle, "memory": held }))
}

fn nic() -> super::Result {
    let mut report = serde_json::Map::new();
    for driver in drivers::all()? {
        let costs = drivers::count(&driver)?;
        print_costs(&driver, &costs);
        let rows = costs.iter().map(|cost| {
            json!({
                "case": cost.case,
                "frame_bytes": cost.length,
                "batch": cost.batch,
                "instructions_per_frame": cost.instructions,
                "register_accesses_per_batch": cost.accesses,
            })
        });
        report.insert(driver, rows.collect());
    }
    write("nic.json", &report.into())
}

/// A line for each kind of case, with a column for each batch.
fn print_costs(driver: &str, costs: &[Cost]) {
    println!("{driver}: instructions a frame (register accesses a batch), for batches of so many frames");
    for of_a_kind in costs.chunk_by(|one, next| (&one.case, one.length) == (&next.case, next.length)) {
        let Some(first) = of_a_kind.first() else { continue };
        print!("  {:<15} {:>5} bytes", first.case, first.length);
        for cost in of_a_kind {
            print!("{:>6}: {:>4.0} ({})", cost.batch, cost.instructions, cost.accesses);
        }
        println!();
    }
}

fn write(name: &str, report: &Value) -> super::Result {
    let directory = testbed::target().join("bench");
    std::fs::create_dir_all(&directory)?;
    let path = directory.join(name);
    std::fs::write(&path, serde_json::to_string_pretty(report)?)?;
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
