//! `./x bench nic --guest`.

use serde_json::{Value, json};
use testbed::bench::beside::{self, Cost, Row};

/// Measures over devices of these models, or of all, and prints it; gives the same as JSON.
pub fn nic(models: &[String]) -> testbed::Result<Value> {
    let all = || beside::models().map(str::to_owned).collect();
    let models = if models.is_empty() { all() } else { models.to_vec() };
    println!(
        "{:<12} {:<13} {:>14} {:>14} {:>7} {:>14} {:>14}",
        "", "", "instructions", "of Linux's", "ratio", "a second", "by Linux's"
    );
    let mut report = serde_json::Map::new();
    for model in models {
        let rows = beside::measure(&model)?;
        report.insert(model.clone(), rows.iter().map(|row| tell(&model, row)).collect());
    }
    Ok(report.into())
}

fn tell(model: &str, row: &Row) -> Value {
    let Row { case, ours, linux } = row;
    let ratio = ours.instructions / linux.instructions;
    println!(
        "{model:<12} {:<13} {:>14.1} {:>14.1} {ratio:>7.2} {:>14.0} {:>14.0} a {}",
        case.name, ours.instructions, linux.instructions, ours.rate, linux.rate, case.unit
    );
    let of =
        |cost: &Cost| json!({ "instructions_per_unit": cost.instructions, "units_per_second": cost.rate });
    json!({ "case": case.name, "unit": case.unit, "ours": of(ours), "linux": of(linux), "ratio": ratio })
}
