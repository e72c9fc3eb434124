//! QEMU's virtio device has several queues where its other end has: a tap interface of several queues.

use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, GUEST, QueuedTap};

use crate::MAC_TEXT;
use crate::control::BEGIN;
use crate::control::queues::{FLOWS, SCRIPT, came_as_told};

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// In the guest: what `netcfg` makes of it.
const NETCFG: &str = r#"
    until netcfg rss eth0 >/dev/null 2>&1; do usleep 50000; done
    netcfg rss eth0 equal 3; tell equal grep table rss
    netcfg rss eth0 weight 3 1; tell weight sh -c "netcfg rss eth0 | tr -s ' '"
    tell refused netcfg rss eth0 equal 5
"#;

/// Of the numbered flows, those that a socket can send: UDP's over IPv4.
fn datagram(number: u16) -> u16 {
    4 * number + 1
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn flows_come_by_the_queues_of_virtios_table() {
    let tap = QueuedTap::new(4).unwrap();
    let model = format!("virtio-net,mq=on,rss=on,vectors=10,mac={MAC_TEXT}");
    let mut running = Guest::default().nic(tap.nic(&model)).start(&[BEGIN, SCRIPT, NETCFG].concat()).unwrap();
    for round in ["spread", "second"] {
        running.wait_for(&format!("flows {round}\n"), PATIENCE).unwrap();
        tap.namespace().enter(send).unwrap().unwrap();
    }
    let finished = running.finish().unwrap();
    let said: BTreeMap<&str, &str> =
        finished.success().unwrap().lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(came_as_told(&said, datagram), 4);
    assert_eq!(said["vectors"], "4", "each queue has a vector");
    assert_eq!(said["equal"], "table 0 1 2");
    assert!(said["weight"].contains(" table 0 0 0 1 hash "), "{said:?}");
    assert!(said["weight"].contains(" queue 3 ") && said["refused"].contains("its log says why"), "{said:?}");
}

/// Sends the flows, as `flows::flow` has them.
fn send() -> io::Result<()> {
    for number in (0..FLOWS).map(datagram) {
        UdpSocket::bind((ADDRESS, 1000 + number))?.send_to(&[7; 100], (GUEST, 53))?;
    }
    Ok(())
}
