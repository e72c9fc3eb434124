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
