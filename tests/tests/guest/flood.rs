//! 200,000 frames of mixed sizes each way, as fast as the link takes them.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use probe::sequence::{self, Tally};
use testbed::guest::Finished;
use testbed::peer::Peer;

use crate::nics::Card;
use crate::{MAC, MAC_TEXT};

const COUNT: u32 = 200_000;

/// By how much a daemon may grow, in kB: for what it keeps at most, and less than a few bytes a frame.
const FLAT: u64 = 1024;

/// What the guest tells before and after: the driver's counters and its memory.
const TELL: &str = "
    tell() {
        cat /scheme/network.*/stats
        awk '/^RssAnon/ { print \"memory\", $2 }' /proc/$(pidof $(basename -a -s .toml /usr/lib/pcid.d/*.toml))/status
    }
";

/// Lines of name and value.
fn values(text: &str) -> HashMap<&str, u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}

/// How much each value grew from before the line `--` to after it.
fn growth(finished: &Finished) -> HashMap<&str, u64> {
    let (before, after) = finished.success().unwrap().split_once("--\n").unwrap();
    let before = values(before);
    values(after)
        .into_iter()
        .map(|(name, value)| (name, value.saturating_sub(before.get(name).copied().unwrap_or_default())))
        .collect()
}

mod a_flood_in_arrives_in_order_or_is_counted {
    crate::nics::on_every_nic!(super::a_flood_arrives);
}

pub fn a_flood_arrives(card: Card) {
    let model = card.model;
    let peer = Peer::new().unwrap();
    let script = format!(
        "{TELL}
         scheme=$(ls /scheme | grep ^network)
         tell
         probe receive-frames $scheme {COUNT} 3 >/tmp/received &
         reader=$!
         until grep -q listening /tmp/received; do usleep 10000; done
         echo --
         echo ready
         wait $reader
         cat /tmp/received
         tell"
    );
    let guest = card.guest().nic(peer.nic(&format!("{model},mac={MAC_TEXT}"))).limit(400);
    let mut running = guest.start(&script).unwrap();
    running.wait_for("ready", Duration::from_secs(60)).unwrap();
    for number in 0..COUNT {
        peer.send(&sequence::frame(MAC, number)).unwrap();
        // What netd sends is taken, or the device could send no more, and would be reset.
        while peer.receive_now().unwrap().is_some() {}
    }

    let finished = running.finish().unwrap();
    let (_, after) = finished.success().unwrap().split_once("ready\n").unwrap();
    let read = values(after);
    assert_eq!((read["damaged"], read["disordered"]), (0, 0));
    assert!(read["received"] > 1000, "{read:?}");
    let grown = growth(&finished);
    assert_eq!(
        read["received"] + read["lost"],
        grown["rx_packets"],
        "read or lost by this reader: {grown:?}"
    );
    let told = grown["rx_packets"] + grown["rx_dropped"] + grown["rx_missed_errors"];
    let least = if card.counts_losses() { u64::from(COUNT) } else { grown["rx_packets"] };
    assert!(
        (least..=u64::from(COUNT)).contains(&told),
        "{told} of {COUNT} delivered or dropped by the device: {grown:?}"
    );
    assert!(grown["memory"] < FLAT, "the driver grew by {} kB", grown["memory"]);
}

mod a_flood_out_leaves_in_order_or_is_counted {
    crate::nics::on_every_nic!(super::a_flood_leaves);
}

pub fn a_flood_leaves(card: Card) {
    let model = card.model;
    let peer = Peer::new().unwrap();
    let script = format!(
        "{TELL}
         tell
         echo --
         probe send-frames $(ls /scheme | grep ^network) {COUNT} || exit
         sleep 1
         tell"
    );
    let guest = card.guest().nic(peer.nic(&format!("{model},mac={MAC_TEXT}"))).without_netd().limit(400);
    let mut running = guest.start(&script).unwrap();
    running.wait_for("--", Duration::from_secs(60)).unwrap();
    let receiver = thread::spawn(move || {
        let mut tally = Tally::default();
        while let Some(frame) = peer.receive(Duration::from_secs(5)).unwrap() {
            tally.add(&frame);
        }
        tally
    });

    let finished = running.finish().unwrap();
    let tally = receiver.join().unwrap();
    let grown = growth(&finished);
    assert_eq!((tally.damaged, tally.disordered), (0, 0));
    assert_eq!(grown["tx_packets"] + grown["tx_dropped"], u64::from(COUNT), "sent or dropped: {grown:?}");
    assert_eq!(u64::from(tally.received), grown["tx_packets"], "what was sent has arrived");
    assert!(grown["memory"] < FLAT, "the driver grew by {} kB", grown["memory"]);
}
