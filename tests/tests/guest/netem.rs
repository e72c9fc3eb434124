//! Transfers between a program over netd and a Linux, through a Linux that loses, reorders and delays packets.

use std::net::SocketAddr;

use probe::data;
use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, LinuxPeer, Netem, Treatment};
use testbed::server;

use crate::WAIT_FOR_LEASE;

/// What is done to the packets of each port, both ways.
const TREATMENTS: [Treatment; 4] = [
    Treatment { port: 8001, netem: "loss 1%" },
    Treatment { port: 8002, netem: "delay 10ms reorder 10%" },
    Treatment { port: 8003, netem: "delay 50ms" },
    Treatment { port: 8004, netem: "delay 10ms reorder 10% loss 1%" },
];

/// Bytes of each transfer.
const SIZE: u64 = 2_000_000;

/// What the packets of such a transfer are at least, with an MTU of 1500.
const PACKETS: u64 = SIZE / 1460;

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn transfers_are_whole_though_packets_are_lost_reordered_and_delayed() {
    let peer = LinuxPeer::start().unwrap();
    let netem = Netem::start(&peer, &TREATMENTS).unwrap();
    let exchanges = TREATMENTS.map(|Treatment { port, netem }| {
        let web = SocketAddr::new(ADDRESS.into(), port);
        peer.namespace().enter(|| server::web_at(web)).unwrap().unwrap();
        format!(
            "exchange() {{
                 over curl -sS http://{web}/{SIZE}/1 -o /tmp/file{port} &&
                 over curl -sS -H Expect: -T /tmp/file{port} http://{web}/ &&
                 echo ' with {netem}'
             }}
             exchange >/tmp/said{port} &\n"
        )
    });
    let script = format!("{WAIT_FOR_LEASE}\n{}\nwait\ncat /tmp/said*", exchanges.concat());
    let guest = Guest::default().nic(netem.nic("e1000")).programs(&["curl"]).limit(150);
    let finished = guest.run(&script).unwrap();
    let sum = data::sum_of(1, SIZE).unwrap();
    let expected = TREATMENTS.map(|Treatment { netem, .. }| format!("{sum} with {netem}\n")).concat();
    assert_eq!(finished.success().unwrap(), expected);

    for (Treatment { netem, .. }, treated) in netem.finish().unwrap() {
        assert_eq!(treated.len(), 2, "both ways");
        for treated in treated {
            assert!(treated.sent + treated.lost >= PACKETS, "{netem}: {treated:?}");
            assert_eq!(treated.lost > 0, netem.contains("loss"), "{netem}: {treated:?}");
            assert_eq!(treated.reordered > 0, netem.contains("reorder"), "{netem}: {treated:?}");
        }
    }
}
