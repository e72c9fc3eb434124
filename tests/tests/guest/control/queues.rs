//! Flows go to the receive queues that the device's table says.

use std::collections::BTreeMap;

use testbed::features::Claims;

use super::{PATIENCE, Trial, UNSUPPORTED};
use crate::MAC;
use crate::nics::Card;
use models::flows::{flow, hashed, toeplitz};

/// Flows, of a frame each, that come in a round, at once: fewer than the receive ring of any device has entries.
pub const FLOWS: u16 = 150;

/// In the guest: after [`BEGIN`](super::BEGIN).
pub const SCRIPT: &str = r#"
    tell rss cat rss
    queues() { sed -n 's/^rx_queue_[0-9]*_packets //p' stats; }
    flows() {
        tell "before $1" queues
        received=$(counter rx_packets)
        echo "flows $1"
        until [ $(counter rx_packets) -ge $((received + 150)) ]; do usleep 20000; done
        tell "after $1" queues
    }
    if grep -q table rss 2>&-; then
        flows spread
        echo 'table 1' >rss; cat registers >/dev/null; flows second
        tell vectors sh -c "grep -c 'vfio-msix' /proc/interrupts"
    fi
"#;

/// The driver has the file, whether the device does what it says or its model alone.
fn has_rss(claims: &Claims) -> bool {
    claims.does("rss") || claims.model.contains("rss")
}

/// Sends the flows of each round.
pub(super) fn serve(trial: &mut Trial) {
    if has_rss(&trial.claims) {
        for round in ["spread", "second"] {
            trial.running.wait_for(&format!("flows {round}\n"), PATIENCE).unwrap();
            (0..FLOWS).for_each(|number| trial.peer.send(&flow(MAC, number)).unwrap());
        }
    }
}

pub fn check(card: Card, claims: &Claims, said: &BTreeMap<&str, &str>) {
    assert_eq!(claims.does("rss"), claims.does("queues"));
    if !has_rss(claims) {
        assert!(said["rss"].ends_with(UNSUPPORTED), "{said:?}");
        return;
    }
    if !claims.does("rss") {
        let [spread, second] = ["spread", "second"].map(|round| came(said, round).iter().sum::<u64>());
        assert_eq!([spread, second], [u64::from(FLOWS); 2], "the device spreads them as it likes");
        return;
    }
    let queues = came_as_told(said, |number| number);
    if card.interrupt == "vfio-msix" {
        assert_eq!(said["vectors"], queues.to_string(), "each queue has a vector");
    }
}

/// Frames came by the queues that the table says, of the flows `numbered` from 0; how many queues there are.
pub fn came_as_told(said: &BTreeMap<&str, &str>, numbered: fn(u16) -> u16) -> usize {
    let words: Vec<&str> = said["rss"].split(' ').collect();
    let key: Vec<u8> = words[1].split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    let table: Vec<usize> = words[3..].iter().map_while(|word| word.parse().ok()).collect();
    let hashes = |is_tcp: bool, is_v6: bool| {
        let name = [if is_tcp { "tcp" } else { "udp" }, if is_v6 { "6" } else { "4" }].concat();
        words.contains(&&*name)
    };
    let mut wanted = vec![0; table.len()];
    for number in 0..FLOWS {
        let hash = toeplitz(&key, &hashed(&flow(MAC, numbered(number)), hashes).unwrap());
        wanted[table[hash as usize % table.len()]] += 1;
    }
    assert_eq!(came(said, "spread"), wanted);
    assert!(wanted.iter().all(|count| *count > 0), "every queue has some: {wanted:?}");
    let second: Vec<u64> = (0..table.len()).map(|queue| if queue == 1 { FLOWS.into() } else { 0 }).collect();
    assert_eq!(came(said, "second"), second);
    table.len()
}

/// How many frames each queue has brought in a round.
fn came(said: &BTreeMap<&str, &str>, round: &str) -> Vec<u64> {
    let counts = |when: &str| -> Vec<u64> {
        said[&*format!("{when} {round}")].split(' ').map(|count| count.parse().unwrap()).collect()
    };
    counts("after").into_iter().zip(counts("before")).map(|(after, before)| after - before).collect()
}
