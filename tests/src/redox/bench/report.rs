//! What was measured, in two columns.

use std::fmt;

use serde::Serialize;

use crate::qemu::INSTRUCTION;
use crate::{Error, Result};

/// A kind of operations.
struct Kind {
    /// As the program names those of ours, and of stock's.
    ours: &'static str,
    stock: &'static str,
    /// As it is told.
    operation: &'static str,
}

/// The same in both.
const fn same(name: &'static str, operation: &'static str) -> Kind {
    Kind { ours: name, stock: name, operation }
}

/// By the streams of our drivers, beside the only way that stock's have.
const fn stream(ours: &'static str, stock: &'static str, operation: &'static str) -> Kind {
    Kind { ours, stock, operation }
}

/// All that is measured, in this order.
const KINDS: [Kind; 16] = [
    same("udp-64", "UDP round trip, 64 B"),
    same("udp-1400", "UDP round trip, 1400 B"),
    same("tcp-receive-4k", "TCP byte received, 4 KiB reads"),
    same("tcp-receive-64k", "TCP byte received, 64 KiB reads"),
    same("tcp-send-4k", "TCP byte sent, 4 KiB writes"),
    same("tcp-send-64k", "TCP byte sent, 64 KiB writes"),
    same("frame-send-60", "frame sent, 60 B: `frame`"),
    stream("stream-send-60", "frame-send-60", "frame sent, 60 B: `transmit`"),
    same("frame-send-1514", "frame sent, 1514 B: `frame`"),
    stream("stream-send-1514", "frame-send-1514", "frame sent, 1514 B: `transmit`"),
    same("frame-receive-60", "frame received, 60 B: `frame`"),
    stream("stream-receive-60", "frame-receive-60", "frame received, 60 B: `receive`"),
    same("frame-receive-1514", "frame received, 1514 B: `frame`"),
    stream("stream-receive-1514", "frame-receive-1514", "frame received, 1514 B: `receive`"),
    same("frame-arp", "ARP round trip: `frame`"),
    stream("stream-arp", "frame-arp", "ARP round trip: by both streams"),
];

/// Whose operations they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Redox's own.
    Stock,
    /// Those over our drivers and netd.
    Ours,
}

/// One batch of operations.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    kind: String,
    /// Each for one operation.
    instructions: f64,
    switches: f64,
    interrupts: f64,
}

impl Measured {
    /// Understands a line of the program's: name, operations, nanoseconds, switches, interrupts.
    pub fn parse(line: &str) -> Result<Self> {
        let unknown = || Error::Guest(format!("the measuring program said: {line}"));
        let (kind, numbers) = line.split_once(' ').ok_or_else(unknown)?;
        let numbers = numbers.split(' ').map(str::parse).collect::<std::result::Result<Vec<f64>, _>>();
        match numbers.map_err(|_| unknown())?.as_slice() {
            [operations, nanoseconds, switches, interrupts] if *operations > 0.0 => Ok(Self {
                kind: kind.to_owned(),
                instructions: nanoseconds / operations / INSTRUCTION,
                switches: switches / operations,
                interrupts: interrupts / operations,
            }),
            _ => Err(unknown()),
        }
    }
}

/// What the batches of one kind tell together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Summary {
    /// The median of the batches, and the outermost two of them.
    instructions: f64,
    least: f64,
    most: f64,
    /// Context switches and interrupts, medians.
    switches: f64,
    interrupts: f64,
    batches: usize,
}

impl Summary {
    fn of(batches: &[Measured], kind: &str) -> Option<Self> {
        let values = |value: fn(&Measured) -> f64| {
            let mut values: Vec<_> = batches.iter().filter(|one| one.kind == kind).map(value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let instructions = values(|one| one.instructions);
        Some(Self {
            instructions: median(&instructions)?,
            least: *instructions.first()?,
            most: *instructions.last()?,
            switches: median(&values(|one| one.switches))?,
            interrupts: median(&values(|one| one.interrupts))?,
            batches: instructions.len(),
        })
    }

    /// `-1 +3 %` around the median.
    fn spread(&self) -> String {
        let percent = |value: f64| (value / self.instructions - 1.0) * 100.0;
        format!("{:+.0} {:+.0} %", percent(self.least), percent(self.most))
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

/// Frames that arrived of those sent in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Arrived {
    sent: u32,
    stock: Option<u32>,
    ours: Option<u32>,
}

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub struct Report {
    stock: Vec<Measured>,
    ours: Vec<Measured>,
    rates: Vec<Arrived>,
}

#[derive(Serialize)]
struct Row<'a> {
    operation: &'a str,
    stock: Option<Summary>,
    ours: Option<Summary>,
    ratio: Option<f64>,
}

impl Report {
    /// Takes a batch into account.
    pub fn add(&mut self, column: Column, batch: Measured) {
        match column {
            Column::Stock => self.stock.push(batch),
            Column::Ours => self.ours.push(batch),
        }
    }

    /// Takes a line of the program's into account: `rate SENT ARRIVED`.
    pub fn add_rate(&mut self, column: Column, line: &str) -> Result<()> {
        let unknown = || Error::Guest(format!("the measuring program said: {line}"));
        let mut words = line.split(' ').skip(1).map(|word| word.parse().ok());
        let (Some(Some(sent)), Some(Some(arrived))) = (words.next(), words.next()) else {
            return Err(unknown());
        };
        let known = self.rates.iter().position(|rate| rate.sent == sent);
        let place = known.unwrap_or(self.rates.len());
        if known.is_none() {
            self.rates.push(Arrived { sent, ..Arrived::default() });
        }
        if let Some(rate) = self.rates.get_mut(place) {
            match column {
                Column::Stock => rate.stock = Some(arrived),
                Column::Ours => rate.ours = Some(arrived),
            }
        }
        Ok(())
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Row<'static>)> {
        KINDS.iter().map(|kind| {
            let (stock, ours) = (Summary::of(&self.stock, kind.stock), Summary::of(&self.ours, kind.ours));
            let ratio = stock.zip(ours).map(|(stock, ours)| ours.instructions / stock.instructions);
            (kind.ours, Row { operation: kind.operation, stock, ours, ratio })
        })
    }

    /// The same as JSON: instructions, context switches and interrupts, each for one operation.
    pub fn json(&self) -> serde_json::Value {
        let rows: serde_json::Map<_, _> =
            self.rows().map(|(kind, row)| (kind.to_owned(), serde_json::json!(row))).collect();
        serde_json::json!({ "operations": rows, "frames_a_second": self.rates })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<32}{:>10}{:>10}{:>7}{:>16}{:>16}{:>16}",
            "instructions", "stock", "ours", "ratio", "spread, stock", "spread, ours", "switches"
        )?;
        for (_, row) in self.rows() {
            let (Some(stock), Some(ours), Some(ratio)) = (row.stock, row.ours, row.ratio) else { continue };
            writeln!(
                f,
                "{:<32}{:>10}{:>10}{ratio:>7.2}{:>16}{:>16}{:>16}",
                row.operation,
                number(stock.instructions),
                number(ours.instructions),
                stock.spread(),
                ours.spread(),
                format!("{} / {}", number(stock.switches), number(ours.switches)),
            )?;
        }
        writeln!(f, "\n{:<32}{:>10}{:>10}", "frames of 1514 B lost, a second", "stock", "ours")?;
        for rate in &self.rates {
            let lost = |arrived: Option<u32>| {
                let lost = arrived.map(|arrived| rate.sent.saturating_sub(arrived));
                lost.map_or_else(String::new, |lost| lost.to_string())
            };
            writeln!(
                f,
                "{:<32}{:>10}{:>10}",
                format!("of {}", rate.sent),
                lost(rate.stock),
                lost(rate.ours)
            )?;
        }
        Ok(())
    }
}

/// With as many digits as mean something.
fn number(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &[(Column, &str)]) -> Report {
        let mut report = Report::default();
        for (column, line) in lines {
            report.add(*column, Measured::parse(line).unwrap());
        }
        report
    }

    #[test]
    fn a_row_has_the_medians_of_both_and_their_ratio() {
        let stock =
            ["udp-64 100 30000000 800 200", "udp-64 100 20000000 800 200", "udp-64 100 90000000 800 200"];
        let mut report = report(&stock.map(|line| (Column::Stock, line)));
        report.add(Column::Ours, Measured::parse("udp-64 100 15000000 400 100").unwrap());
        let text = report.to_string();
        let row = text.lines().find(|line| line.starts_with("UDP round trip, 64 B")).unwrap();
        let words: Vec<_> = row.split_whitespace().skip(5).collect();
        assert_eq!(words[..3], ["150000", "75000", "0.50"]);
        assert!(row.contains("-33 +200 %") && row.ends_with("8.00 / 4.00"), "{row}");
        let json = report.json();
        assert_eq!(json["operations"]["udp-64"]["ours"]["instructions"], 75000.0);
        assert_eq!(json["operations"]["udp-64"]["stock"]["batches"], 3);
    }

    #[test]
    fn a_stream_is_told_beside_the_requests_of_stock() {
        let report = report(&[
            (Column::Stock, "frame-send-60 500 20000000 1000 0"),
            (Column::Ours, "frame-send-60 500 15000000 1000 0"),
            (Column::Ours, "stream-send-60 500 5000000 100 0"),
        ]);
        let text = report.to_string();
        let row = |name| {
            let line = text.lines().find_map(|line: &str| line.strip_prefix(name)).unwrap();
            line.split_whitespace().take(3).collect::<Vec<_>>()
        };
        assert_eq!(row("frame sent, 60 B: `frame`"), ["20000", "15000", "0.75"]);
        assert_eq!(row("frame sent, 60 B: `transmit`"), ["20000", "5000", "0.25"]);
    }

    #[test]
    fn lost_frames_are_those_that_did_not_arrive() {
        let mut report = Report::default();
        report.add_rate(Column::Stock, "rate 4000 1640").unwrap();
        report.add_rate(Column::Ours, "rate 4000 4000").unwrap();
        let text = report.to_string();
        assert!(text.lines().any(|line| line.split_whitespace().eq(["of", "4000", "2360", "0"])), "{text}");
    }

    #[test]
    fn what_is_no_measurement_is_an_error() {
        for line in ["", "udp-64", "udp-64 0 1 2 3", "udp-64 1 2 3", "cost: no"] {
            assert!(Measured::parse(line).is_err(), "{line}");
        }
        assert!(Report::default().add_rate(Column::Ours, "rate 1000").is_err());
    }
}
