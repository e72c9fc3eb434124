//! `./x bench stack --guest`.

use serde_json::{Value, json};
use testbed::bench::guest::{self, Cost, Task};

/// What is done, how often, and beside how many silent connections.
struct Row {
    task: Task,
    unit: &'static str,
}

const ROWS: [Row; 6] = [
    Row { task: Task { case: "tcp-receive", units: 20_000_000, idle: 0 }, unit: "byte" },
    Row { task: Task { case: "tcp-send", units: 20_000_000, idle: 0 }, unit: "byte" },
    Row { task: Task { case: "tcp-loopback", units: 20_000_000, idle: 0 }, unit: "byte" },
    Row { task: Task { case: "udp-round-trip", units: 2_000, idle: 0 }, unit: "round trip" },
    Row { task: Task { case: "connect", units: 500, idle: 0 }, unit: "connection" },
    Row { task: Task { case: "accept", units: 500, idle: 0 }, unit: "connection" },
];

/// Connections that idle beside a transfer: what the guest's memory holds.
const IDLE: [usize; 3] = [0, 100, 1_000];

/// Measures over a device of this model, and prints it; gives the same as JSON.
pub fn stack(model: &str) -> testbed::Result<Value> {
    let beside = IDLE.map(|idle| Task { case: "tcp-receive", units: 10_000_000, idle });
    let tasks: Vec<_> = ROWS.iter().map(|row| row.task).chain(beside).collect();
    let costs = guest::measure(model, &tasks)?;
    let (costs, beside) = costs.split_at(ROWS.len());
    println!("{model:<16} {:>12} {:>12} {:>12} {:>12}", "per second", "instructions", "of netd", "of driver");
    let rows: Vec<_> = ROWS.iter().zip(costs).map(|(row, cost)| tell(row, cost)).collect();
    println!("\n{:<16} {:>12} {:>12} {:>25}", "idle connections", "a byte", "of none", "memory of each");
    let idle: Vec<_> = IDLE.iter().zip(beside).map(|(idle, cost)| tell_beside(*idle, cost, beside)).collect();
    Ok(json!({ "model": model, "costs": rows, "beside_idle": idle }))
}

fn tell(row: &Row, cost: &Cost) -> Value {
    let Cost { rate, instructions, netd, driver, .. } = cost;
    println!(
        "{:<16} {rate:>12.0} {instructions:>12.1} {netd:>12.1} {driver:>12.1} a {}",
        row.task.case, row.unit
    );
    json!({
        "case": row.task.case,
        "unit": row.unit,
        "units_per_second": rate,
        "instructions_per_unit": instructions,
        "of_netd": netd,
        "of_driver": driver,
    })
}

fn tell_beside(idle: usize, cost: &Cost, all: &[Cost]) -> Value {
    let alone = all.first().map_or(cost.instructions, |first| first.instructions);
    let share = alone / cost.instructions;
    println!(
        "{idle:<16} {:>12.1} {:>10.1} % {:>21.1} KiB",
        cost.instructions,
        share * 100.0,
        cost.idle_bytes / 1024.0
    );
    json!({
        "idle": idle,
        "instructions_per_byte": cost.instructions,
        "share_of_none": share,
        "bytes_each": cost.idle_bytes,
    })
}
