//! Rings get other sizes while frames pass both ways: what was to be sent is sent, and what the device has taken is read.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use probe::sequence::{self, Tally};
use testbed::peer::Peer;

use super::{PATIENCE, Trial};
use crate::MAC;

/// Frames that the guest sends meanwhile.
const SENT: u32 = 2000;

/// The number of the frame that ends the guest's reading.
const LAST: u32 = 3_999_999_999;

/// When no more frames come, all have come.
const QUIET: Duration = Duration::from_secs(1);

/// In the guest: each change is made once the driver has carried out the one before it, and frames have come since: a
/// link that begins anew needs its time.
pub const SCRIPT: &str = r#"
    size() { sed -n "s/^$1 //p" rings; }
    tell ring-feature grep rings features
    tell first cat rings
    tell too-many sh -c "echo rx $(($(size rx-max) + 1)) >rings"
    tell too-few sh -c "echo tx $(($(size tx-min) - 1)) >rings"
    tell still cat rings
    tell named grep -c '`rings` keeps its value: the device can do' /var/log/*d.log

    scheme=$(basename "$PWD")
    passed() { echo $(counter rx_packets) $(counter tx_packets) $(counter tx_dropped); }
    tell before passed
    probe receive-frames $scheme 4000000000 30 >/tmp/received & reader=$!
    until grep -q listening /tmp/received; do usleep 10000; done
    probe send-frames $scheme 2000 >/dev/null & sender=$!
    echo rings
    changes() { grep -c 'stopped and started' /var/log/*d.log; }
    resize() {
        before=$(changes)
        printf 'rx %s\ntx %s\n' $2 $3 >rings
        until [ $(changes) -gt $before ]; do usleep 10000; done
        enough=$(($(counter rx_packets) + 50))
        until [ $(counter rx_packets) -ge $enough ]; do usleep 10000; done
        tell $1 sed -n '/^.x [0-9]/p' rings
    }
    first="$(size rx) $(size tx)"; least="$(size rx-min) $(size tx-min)"; most="$(size rx-max) $(size tx-max)"
    resize least $least; resize most $most; resize again $least; resize last $first
    wait $sender
    echo enough
    wait $reader
    echo ended
    tell read sed 1d /tmp/received
    tell after passed
"#;

/// Sends and takes frames all the while; what the guest has sent.
pub fn serve(trial: &mut Trial) -> Tally {
    trial.running.wait_for("rings\n", PATIENCE).unwrap();
    let (mut number, mut received) = (0, Tally::default());
    while trial.running.wait_for("enough\n", Duration::ZERO).is_err() {
        trial.peer.send(&sequence::frame(MAC, number)).unwrap();
        number += 1;
        thread::sleep(Duration::from_millis(2));
        take(&trial.peer, &mut received);
    }
    while trial.running.wait_for("ended\n", Duration::from_millis(100)).is_err() {
        trial.peer.send(&sequence::frame(MAC, LAST)).unwrap();
        take(&trial.peer, &mut received);
    }
    // Some may still wait in QEMU.
    while received.next() < SENT
        && let Some(frame) = trial.peer.receive(QUIET).unwrap()
    {
        received.add(&frame);
    }
    received
}

fn take(peer: &Peer, received: &mut Tally) {
    while let Some(frame) = peer.receive_now().unwrap() {
        received.add(&frame);
    }
}

pub fn check(said: &BTreeMap<&str, &str>, received: &Tally) {
    assert_eq!(said["ring-feature"], "rings on");
    let sizes = said["first"];
    assert_eq!((said["still"], said["named"]), (sizes, "2"));
    for wrong in ["too-many", "too-few"] {
        assert!(said[wrong].ends_with("Invalid argument"), "{said:?}");
    }
    let words: Vec<_> = sizes.split(' ').collect();
    let [_, rx, _, tx, _, rx_min, _, rx_max, _, tx_min, _, tx_max] = words[..] else { panic!("{sizes}") };
    for (step, rx, tx) in
        [("least", rx_min, tx_min), ("most", rx_max, tx_max), ("again", rx_min, tx_min), ("last", rx, tx)]
    {
        assert_eq!(said[step], format!("rx {rx} tx {tx}"), "{step}");
    }

    let [before, after] = ["before", "after"].map(|name| numbers(said[name]));
    let grown: Vec<_> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
    let [rx_packets, tx_packets, tx_dropped] = grown[..] else { panic!("{grown:?}") };
    assert_eq!((received.damaged, received.disordered), (0, 0));
    assert_eq!(u64::from(received.received), tx_packets, "what is told to be sent has come");
    assert_eq!(tx_packets + tx_dropped, u64::from(SENT), "sent or dropped");
    let read = numbers(said["read"]);
    let [received, damaged, disordered, lost] = read[..] else { panic!("{read:?}") };
    assert_eq!((damaged, disordered), (0, 0));
    // Some of those that end the reading may have come behind the end.
    assert!((received + lost..received + lost + 10).contains(&rx_packets), "{read:?} of {rx_packets}");
    assert!(received > 50, "{read:?}");
}

/// The numbers among words.
fn numbers(text: &str) -> Vec<u64> {
    text.split(' ').filter_map(|word| word.parse().ok()).collect()
}
