//! A configuration that is tried, kept, and found again by the next netd; and what is told of it meanwhile.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use testbed::guest::Guest;
use testbed::nic::Nic;

use crate::WAIT_FOR_LEASE;

const STORY: &str = r#"
    say() { echo "$1: $(netcfg addr show eth0 | grep -o '10\.0\.2\.[0-9]*/24' | tr '\n' ' ')"; }

    netcfg monitor > /tmp/events & monitor=$!
    netcfg capture eth0 -w /tmp/eth0.pcapng --count 4 --seconds 20 icmp & capture=$!
    # Both have opened their files.
    until [ -s /tmp/eth0.pcapng ]; do usleep 20000; done
    usleep 200000
    say leased
    netcfg ping 10.0.2.2 -c 1 > /dev/null || echo no answer

    printf '[[interface]]\nmatch.driver = "*_e1000"\naddresses = ["10.0.2.77/24"]\nmtu = 1400\n' > /tmp/new.toml
    printf 'routes = [{ to = "default", via = "10.0.2.2" }]\n' >> /tmp/new.toml
    netcfg apply /tmp/new.toml --confirm 5
    say tried
    netcfg ping 10.0.2.2 -c 1 > /dev/null || echo no answer
    wait $capture

    until netcfg addr show eth0 | grep -q 10.0.2.15; do usleep 50000; done
    say back
    netcfg apply /tmp/new.toml --confirm 5 && netcfg confirm
    sleep 6
    say confirmed
    cat /scheme/network.*/mtu

    netcfg coalesce eth0 rx-usecs 20
    netcfg coalesce eth0 rx-usecs 4000000000 2>&1 | grep -o 'does not take.*:'
    grep rx-usecs\  /scheme/network.*/coalesce
    netcfg rings eth0 rx 512
    netcfg rings eth0 rx 500 2>&1 | grep -o 'does not take.*:'
    netcfg capture eth0 --driver --count 2 --seconds 20 -w /tmp/driver.pcapng & capture=$!
    until [ -s /tmp/driver.pcapng ]; do usleep 20000; done
    netcfg ping 10.0.2.2 -c 1 > /dev/null || echo no answer
    wait $capture
    echo captured $(od -An -tx1 -N4 /tmp/driver.pcapng)
    netcfg selftest eth0 | tr -s ' ' | sed 's/ $//'
    netcfg eeprom eth0 | head -n 1 | cut -c1-23
    netcfg identify eth0 600 && [ $(cat /scheme/network.*/identify) -gt 500 ] && echo identified
    mkdir -p /etc/net && netcfg save
    kill $(pidof netd)
    while pidof netd > /dev/null; do usleep 20000; done
    netd 2> /var/log/netd.log &
    until netcfg ping 10.0.2.2 -c 1 > /dev/null 2>&1; do usleep 50000; done
    say again
    netcfg coalesce eth0 | tr -s ' ' | grep 'rx-usecs '
    netcfg rings eth0 | tr -s ' ' | grep '^.x '
    echo 'dsn = []' >> /etc/net/netd.toml
    kill $(pidof netd)
    while pidof netd > /dev/null; do usleep 20000; done
    netd 2> /var/log/netd.log &
    until netcfg addr show eth0 2> /dev/null | grep -q 10.0.2.15; do usleep 50000; done
    say leased
    grep -o 'unknown key.*' /var/log/netd.log

    kill $monitor 2> /dev/null
    cat /tmp/events
    echo packets
    od -An -v -tx1 /tmp/eth0.pcapng
"#;

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_configuration_is_tried_kept_and_found_again() {
    let guest = Guest::default().nic(Nic::user("e1000")).limit(100);
    let finished = guest.run(&format!("{WAIT_FOR_LEASE}\n{STORY}")).unwrap();
    let text = finished.success().unwrap();
    let (said, packets) = text.split_once("\npackets\n").unwrap();
    let expected = "\
leased: 10.0.2.15/24
tried: 10.0.2.77/24
back: 10.0.2.15/24
confirmed: 10.0.2.77/24
1400
does not take `rx-usecs 4000000000`:
rx-usecs 20
does not take `rx 500`:
captured 0a 0d 0d 0a
TEST RESULT
registers pass
loopback pass 32/32
link pass
0000  52 54 00 12 34 56
identified
again: 10.0.2.77/24
rx-usecs 20
rx 512
tx 256
leased: 10.0.2.15/24
unknown key `dsn`, did you mean `dns`?: the file is left out
";
    let normal: String = said.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert!(normal.starts_with(expected), "{said}\n{}", finished.stderr());
    for event in ["address remove eth0 10.0.2.15/24", "address add eth0 10.0.2.77/24", "mtu eth0 1400"] {
        assert!(normal.lines().any(|line| line == event), "{event} in {said}");
    }
    are_echoes(&bytes(packets));
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hexadecimal.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// Two echo requests and their replies, in pcapng's enhanced packet blocks.
fn are_echoes(file: &[u8]) {
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    let (mut rest, mut echoes) = (file, Vec::new());
    while !rest.is_empty() {
        if word(rest, 0) == 6 {
            let packet = SlicedPacket::from_ethernet(&rest[28..28 + word(rest, 20)]).unwrap();
            let Some(NetSlice::Ipv4(ip)) = &packet.net else { panic!("{packet:?}") };
            assert!(matches!(packet.transport, Some(TransportSlice::Icmpv4(_))), "{packet:?}");
            echoes.push((ip.header().source()[3], ip.header().destination()[3]));
        }
        rest = &rest[word(rest, 4)..];
    }
    assert_eq!(echoes, [(15, 2), (2, 15), (77, 2), (2, 77)]);
}
