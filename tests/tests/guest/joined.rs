//! What another machine beside the guest has never cut into segments comes in one piece, where the other end of QEMU's device is
//! a tap interface which says how large the segments would be.

use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, Bridge, GUEST};
use testbed::server;

use crate::MAC_TEXT;
use probe::data;

/// Bytes that are fetched each time.
const LARGE: u64 = 8 << 20;

mod segments_come_joined_where_that_is_on {
    #[test]
    #[ignore = "boots a guest: ./x test guest"]
    fn virtio_net() {
        super::fetch("virtio-net");
    }
}

/// netd's counter has what came to it, the driver's what that would be on a wire.
fn fetch(model: &str) {
    let bridge = Bridge::new().unwrap();
    let web = (ADDRESS, 0).into();
    let port = bridge.namespace().enter(|| server::web_at(web)).unwrap().unwrap().port();
    let script = format!(
        "
        cd /scheme/network.*
        count() {{ sed -n 's/^rx_packets //p' $1/stats; }}
        until netcfg addr set {GUEST}/24 dev eth0 2>/dev/null; do usleep 50000; done
        until grep -q 'state up' link; do usleep 10000; done
        for switch in on off; do
            echo rx-gro-hw $switch >features
            usleep 500000
            wire=$(count .) came=$(count /scheme/netcfg/ifaces/eth0)
            probe fetch {ADDRESS}:{port} /{LARGE}/1; echo
            echo $switch $(($(count .) - wire)) $(($(count /scheme/netcfg/ifaces/eth0) - came))
        done
        grep -E 'rx_errors|rx_length_errors|device_failures' stats
        "
    );
    let guest = Guest::default().newer().nic(bridge.nic(&format!("{model},mac={MAC_TEXT}")));
    let finished = guest.limit(200).run(&script).unwrap();
    let said = finished.success().unwrap();
    assert_eq!(said.matches(&data::sum_of(1, LARGE).unwrap()).count(), 2, "{said}");
    let counts = |switch: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(switch)).unwrap();
        let (wire, came) = line.trim().split_once(' ').unwrap();
        (wire.parse::<u64>().unwrap(), came.parse::<u64>().unwrap())
    };
    let (wire, came) = counts("on ");
    assert!(wire >= LARGE / 1460 && came * 4 < wire, "{said}");
    let (wire, came) = counts("off ");
    assert!(came >= wire * 9 / 10, "{said}");
    assert!(said.ends_with("rx_errors 0\nrx_length_errors 0\ndevice_failures 0\n"), "{said}");
}
