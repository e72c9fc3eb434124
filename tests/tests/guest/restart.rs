//! A driver that dies and comes back.

use probe::data;
use testbed::guest::Guest;
use testbed::nic::Nic;
use testbed::server;

use crate::WAIT_FOR_LEASE;

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn netd_carries_on_when_a_driver_is_killed_and_started_again() {
    let port = server::web().unwrap().port();
    let script = format!(
        "{WAIT_FOR_LEASE}
         probe fetch 10.0.2.2:{port} /60000000/1 &
         transfer=$!
         sleep 1
         before=$(pidof netd)
         kill -9 $(pidof e1000d)
         sleep 1
         cat /scheme/netcfg/ifaces/eth0/addr/list /scheme/netcfg/ifaces/eth0/driver
         PCID_FUNCTION=0000:00:03.0 /usr/lib/drivers/e1000d 2>>/var/log/e1000d.log &
         wait $transfer
         probe fetch 10.0.2.2:{port} /100000/2
         cat /scheme/netcfg/ifaces/eth0/addr/list
         [ \"$before\" = \"$(pidof netd)\" ]"
    );
    let finished = Guest::default().nic(Nic::user("e1000")).limit(120).run(&script).unwrap();
    let sum = |seed, bytes| data::sum_of(seed, bytes).unwrap();
    assert_eq!(
        finished.success().unwrap(),
        format!("10.0.2.15/24\nnone\n{}\n{}\n10.0.2.15/24\n", sum(1, 60_000_000), sum(2, 100_000)),
        "the address stays, and so does the connection"
    );
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn every_scheme_answers_as_soon_as_netd_says_that_it_is_ready() {
    let script = "
        mkfifo ready
        for turn in $(seq 10); do
            INIT_NOTIFY=9 netd 9>ready </dev/null 2>>/var/log/netd.log &
            head -c 1 ready >/dev/null
            # A connection is netd's own to answer.
            probe hold tcp 127.0.0.1:9 2>&1
            grep -c ' /scheme/' /proc/mounts
            probe ping 127.0.0.1 1
            cat /scheme/netcfg/ifaces/lo/addr/list
            kill $(pidof netd)
            wait
        done";
    let finished = Guest::default().without_netd().run(script).unwrap();
    let refused = "probe: cannot open /scheme/tcp/127.0.0.1:9: Connection refused (os error 111)";
    let turn = format!("{refused}\n5\n1 replies\n127.0.0.1/8\n");
    assert_eq!(finished.success().unwrap(), turn.repeat(10));
}
