//! Several interfaces at once, and what they can be made to be.

use std::net::TcpStream;
use std::time::Duration;

use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, GUEST, INTERFACE, LinuxPeer};
use testbed::nic::Nic;
use testbed::station::service::Service;

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn two_nics_have_leases_and_one_takes_another_mtu_and_mac_address_which_outlive_its_driver() {
    let peer = LinuxPeer::start().unwrap();
    peer.run("ip", &["link", "set", INTERFACE, "mtu", "9000"]).unwrap();
    let script = format!(
        "cd /scheme/netcfg/ifaces
         e1000=/scheme/network.pci-0000-00-03.0_e1000
         bound() {{ until grep -q bound eth$1/dhcp/state; do usleep 20000; done; }}
         bound 0; bound 1
         cat eth0/addr/list eth1/addr/list
         grep '^default via [0-9.]* ' ../route/list
         echo 5 >eth0/metric
         grep '^default via [0-9.]* ' ../route/list
         probe ping {ADDRESS} 2; probe ping 10.0.2.2 2

         echo 99999 >eth0/mtu
         echo 9000 >eth0/mtu
         until grep -q 9000 $e1000/mtu; do usleep 20000; done
         probe accept 7000

         echo renew >eth0/dhcp/set
         until grep -q bound eth0/dhcp/state; do usleep 20000; done
         echo 02-00-00-00-00-77 >eth0/mac
         until grep -q 02:00:00:00:00:77 $e1000/address && ! grep -q {GUEST} eth0/addr/list; do usleep 20000; done
         bound 0
         probe ping {ADDRESS} 2
         kill -9 $(pidof e1000d)
         until grep -q none eth0/driver; do usleep 20000; done
         PCID_FUNCTION=0000:00:03.0 /usr/lib/drivers/e1000d 2>>/var/log/e1000d.log &
         until grep -q RUNNING eth0/flags; do usleep 20000; done
         cat $e1000/address $e1000/mtu
         probe ping {ADDRESS} 2
         echo down >eth0/state
         until grep -q none eth0/driver; do usleep 20000; done
         cat eth0/addr/list eth1/addr/list"
    );
    let guest = Guest::default().nic(peer.nic("e1000")).nic(Nic::user("virtio-net")).limit(100);
    let mut running = guest.start(&script).unwrap();
    running.wait_for("listening", Duration::from_secs(90)).unwrap();
    let guest = GUEST.to_string();
    let said = peer.run("ping", &["-c", "3", "-i", "0.2", "-M", "do", "-s", "8972", &guest]).unwrap();
    assert!(said.contains("3 received, 0% packet loss"), "{said}");
    peer.namespace().enter(|| TcpStream::connect((GUEST, 7000))).unwrap().unwrap();

    let finished = running.finish().unwrap();
    let expected = format!(
        "{GUEST}/24\n10.0.2.15/24\n\
         default via {ADDRESS} dev eth0 src {GUEST}\ndefault via 10.0.2.2 dev eth1 src 10.0.2.15\n\
         default via 10.0.2.2 dev eth1 src 10.0.2.15\ndefault via {ADDRESS} dev eth0 src {GUEST} metric 5\n\
         2 replies\n2 replies\nlistening\naccepted 0\n2 replies\n\
         02:00:00:00:00:77\n9000\n2 replies\nNot configured\n10.0.2.15/24\n"
    );
    let log = peer.log("dnsmasq");
    assert_eq!(finished.success().unwrap(), expected, "{log}");
    assert!(log.contains("DHCPRELEASE"), "{log}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_vlan_gets_a_lease_from_a_station_that_speaks_tagged_frames_alone() {
    let station = Service::start_in_vlan(10, [192, 168, 7, 2]).unwrap();
    let script = "
        cd /scheme/netcfg/ifaces
        echo 'add 10' >eth0/vlan
        cat eth0/vlan
        until grep -q bound eth0.10/dhcp/state; do usleep 20000; done
        cat eth0.10/addr/list eth0.10/mtu
        probe ping 192.168.7.1 3
        cat eth0/addr/list
        echo 'rm 10' >eth0/vlan
        ls
    ";
    let finished = Guest::default().nic(station.nic("e1000")).run(script).unwrap();
    let expected = "10\n192.168.7.2/24\n1500\n3 replies\nNot configured\neth0\nlo\n";
    assert_eq!(finished.success().unwrap(), expected);
}
