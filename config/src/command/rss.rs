//! How a device spreads received frames over its queues.

use serde_json::{Value, json};

use super::{Answer, card};
use crate::cli::Spread;
use crate::node::Failure;
use crate::table::titled;

/// Shows it, with what each queue has brought.
pub fn show(interface: &str) -> Result<Answer, Failure> {
    let text = |name| card::read(interface, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (rss, statistics) = (text("rss")?, text("stats")?);
    let line = |text: &str, name: &str| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.next().unwrap_or_default().to_owned()
    };
    let counts = |queue: usize| {
        let count = |what| line(&statistics, &format!("rx_queue_{queue}_{what}")).parse::<u64>().ok();
        Some([count("packets")?, count("bytes")?])
    };
    let counts: Vec<_> = (0..).map_while(counts).collect();
    let settings = ["key", "table", "hash"].map(|name| [name.to_owned(), line(&rss, name)]);
    let queues = counts.iter().enumerate().map(|(queue, [packets, bytes])| {
        [format!("queue {queue}"), format!("{packets} packets, {bytes} bytes")]
    });
    let words = |name| line(&rss, name).split_whitespace().map(Value::from).collect::<Vec<_>>();
    Ok(Answer {
        text: titled(["NAME", "VALUE"], settings.into_iter().chain(queues).collect()),
        json: json!({
            "key": line(&rss, "key"),
            "table": line(&rss, "table").split_whitespace().filter_map(|queue| queue.parse().ok()).collect::<Vec<u8>>(),
            "hash": words("hash"),
            "queues": counts.iter().map(|[packets, bytes]| json!({ "packets": packets, "bytes": bytes })).collect::<Vec<_>>(),
        }),
    })
}

/// Changes it.
pub fn change(interface: &str, change: &Spread) -> Result<(), Failure> {
    card::write(interface, "rss", &format!("{}\n", in_words(change)))
}

/// A line that the driver takes.
fn in_words(change: &Spread) -> String {
    let table =
        |queues: Vec<u8>| queues.iter().fold("table".to_owned(), |table, queue| format!("{table} {queue}"));
    match change {
        Spread::Equal { queues } => table((0..*queues).collect()),
        Spread::Weight { weights } => {
            let times = |(queue, weight): (u8, &u8)| std::iter::repeat_n(queue, (*weight).into());
            table((0..).zip(weights).flat_map(times).collect())
        }
        Spread::Table { queues } => table(queues.clone()),
        Spread::Key { bytes } => format!("key {bytes}"),
        Spread::Hash { packets } => format!("hash {}", packets.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_a_line_that_drivers_take() {
        assert_eq!(in_words(&Spread::Equal { queues: 3 }), "table 0 1 2");
        assert_eq!(in_words(&Spread::Weight { weights: vec![3, 0, 1] }), "table 0 0 0 2");
        assert_eq!(in_words(&Spread::Table { queues: vec![1] }), "table 1");
        assert_eq!(in_words(&Spread::Hash { packets: vec!["ip4".into(), "tcp4".into()] }), "hash ip4 tcp4");
    }
}
