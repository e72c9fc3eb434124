//! `netcfg` as a shell uses it.

use config::netd::Config;
use scheme::errno::*;
use scheme::flag::{MODE_DIR, MODE_FILE, O_RDONLY, O_STAT, O_WRONLY};
use smoltcp::time::Duration;
use smoltcp::wire::EthernetAddress;

use super::*;
use crate::schemes::netcfg::Netcfg;
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;
use crate::stack::interface::Link;
use crate::stack::names::NameServer;

/// A host with an `eth0`, whose driver is there if it has an address.
pub fn netcfg(mac: Option<EthernetAddress>) -> Rig<Netcfg> {
    let stack = host();
    let eth0 = stack.borrow_mut().network.add_ethernet("eth0");
    if let Some(mac) = mac {
        stack.borrow_mut().link_up(eth0, mac, 1500);
    }
    Rig::new(Netcfg::new(stack.clone(), Notifier::default(), Config::default(), 0), &stack)
}

impl Rig<Netcfg> {
    pub fn cat(&mut self, path: &str) -> String {
        let id = self.open_with(path, O_RDONLY).unwrap();
        let text = self.text(id);
        self.close(id);
        text
    }

    pub fn echo(&mut self, path: &str, line: &str) -> Answer<usize> {
        let id = self.open_with(path, O_WRONLY)?;
        let answer = self.write(id, line.as_bytes());
        self.close(id);
        answer
    }
}

pub const MAC: EthernetAddress = EthernetAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]);

#[test]
fn texts_are_stock_s() {
    let mut rig = netcfg(None);
    assert_eq!(rig.cat("ifaces/eth0/mac"), "Device not found\n");
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "Not configured\n");
    assert_eq!(rig.cat("ifaces/lo/addr/list"), "127.0.0.1/8\n");
    assert_eq!(rig.cat("ifaces/lo/addr/list6"), "::1/128\n");
    assert_eq!(rig.cat("resolv/nameserver"), "8.8.8.8\n");
    let mut rig = netcfg(Some(MAC));
    assert_eq!(rig.cat("ifaces/eth0/mac"), "52-54-00-12-34-56\n");
    assert_eq!(rig.cat("ifaces"), "lo\neth0\n");
    assert_eq!(rig.cat("ifaces/eth0/flags"), "UP RUNNING BROADCAST MULTICAST\n");
}

#[test]
fn an_address_and_a_route_are_set_by_lines() {
    let mut rig = netcfg(Some(MAC));
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n");
    assert_eq!(rig.echo("route/add", "default via 10.0.2.2\n"), Err(EINVAL), "nothing leads there yet");
    assert_eq!(rig.echo("ifaces/eth0/addr/set", "10.0.2.15/24\n"), Ok(13));
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "10.0.2.15/24\n");
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "off\n");
    assert_eq!(rig.echo("route/add", "default via 10.0.2.2\n"), Ok(21));
    let routes = "10.0.2.0/24  dev eth0 src 10.0.2.15\ndefault via 10.0.2.2 dev eth0 src 10.0.2.15\n";
    assert_eq!(rig.cat("route/list"), routes);
    assert_eq!(rig.echo("route/rm", "0.0.0.0/0\n"), Ok(10));
    assert_eq!(rig.cat("route/list").lines().count(), 1);
    assert_eq!(rig.echo("route/rm", "0.0.0.0/0\n"), Err(EINVAL));
}

#[test]
fn a_name_server_that_nobody_chose_is_shown_but_not_imposed() {
    let mut rig = netcfg(Some(MAC));
    assert_eq!(rig.cat("resolv/nameserver"), "8.8.8.8\n");
    assert_eq!(rig.stack.borrow().resolvers(), [], "what resolvers were told before holds");
    rig.echo("resolv/nameserver", "9.9.9.9\n").unwrap();
    assert_eq!(rig.cat("resolv/nameservers"), "9.9.9.9\n");
}

#[test]
fn name_servers_and_domains_are_set_in_order() {
    let mut rig = netcfg(Some(MAC));
    rig.echo("resolv/nameservers", "9.9.9.9 fd00::1 9.9.9.9\n").unwrap();
    rig.echo("resolv/search", "home.arpa lan.\n").unwrap();
    assert_eq!(rig.cat("resolv/nameservers"), "9.9.9.9\nfd00::1\n");
    assert_eq!(rig.cat("resolv/nameserver"), "9.9.9.9\n");
    assert_eq!(rig.cat("resolv/search"), "home.arpa\nlan\n");
    assert!(rig.cat("config/running").contains("search = [\"home.arpa\", \"lan\"]\n"));
    for (path, line) in [("nameservers", "9.9.9.9 dns\n"), ("nameservers", "fe80::1\n"), ("search", "a..b\n")]
    {
        assert_eq!(rig.echo(&format!("resolv/{path}"), line), Err(EINVAL), "{line}");
    }
    rig.echo("resolv/nameservers", "none\n").unwrap();
    rig.echo("resolv/search", "none\n").unwrap();
    assert_eq!(rig.cat("resolv/nameservers") + &rig.cat("resolv/search"), "");
}

#[test]
fn a_server_on_the_link_is_shown_as_sockets_reach_it() {
    let mut rig = netcfg(Some(MAC));
    let table = "[[interface]]\nmatch.name = 'eth0'\ndns = ['fe80::53']\n";
    let id = rig.open_with("config/apply", O_WRONLY).unwrap();
    rig.write(id, table.as_bytes()).unwrap();
    rig.close(id);
    assert_eq!(rig.cat("resolv/nameservers"), "fe80::53%1\n");
}

#[test]
fn dhcp_is_a_folder_with_a_file_for_each_value() {
    let mut rig = netcfg(Some(MAC));
    let files =
        "set\nstate\nserver\naddress\nlease\nrenew\nrebind\nroutes\nnameservers\nmtu\ndomain\nsearch\n";
    assert_eq!(rig.cat("ifaces/eth0/dhcp"), files);
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n");
    assert_eq!(rig.cat("ifaces/eth0/dhcp/server"), "", "there is no lease yet");
    assert_eq!(rig.echo("ifaces/eth0/dhcp/set", "off\n"), Ok(4));
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "off\n");
    assert_eq!(rig.echo("ifaces/eth0/dhcp/set", "renew\n"), Err(EINVAL), "nobody would");
    assert_eq!(rig.echo("ifaces/eth0/dhcp/set", "on\n"), Ok(3));
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n");
    assert_eq!(rig.open_with("ifaces/eth0/dhcp/set", O_RDONLY), Err(EACCES));
    assert_eq!(rig.open_with("ifaces/eth0/dhcp/gateway", O_STAT), Err(ENOENT));
}

#[test]
fn the_address_that_is_set_already_ends_neither_dhcp_nor_routes() {
    let mut rig = netcfg(Some(MAC));
    {
        let network = &mut rig.stack.borrow_mut().network;
        let eth0 = network.find("eth0").unwrap();
        network.add_address(eth0, "10.0.2.15/24".parse().unwrap());
        network.add_route(eth0, "0.0.0.0/0".parse().unwrap(), "10.0.2.2".parse().ok(), None);
    }
    let (dhcp, routes) = (rig.cat("ifaces/eth0/dhcp/state"), rig.cat("route/list"));
    assert_eq!(routes.lines().count(), 2);
    // What stock's dhcpd writes for a lease.
    assert_eq!(rig.echo("ifaces/eth0/addr/set", "10.0.2.15/24\n"), Ok(13));
    assert_eq!(rig.cat("route/list"), routes);
    assert_eq!(rig.echo("route/add", "default via 10.0.2.2\n"), Ok(21));
    assert_eq!(rig.cat("route/list"), routes);
    rig.stack.borrow_mut().own_name_servers = vec![NameServer::anywhere("10.0.2.3".parse().unwrap())];
    rig.echo("resolv/nameserver", "10.0.2.3\n").unwrap();
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), dhcp);
    assert_eq!(rig.cat("config/running"), "", "none of it is the administrator's wish");
    assert_eq!(rig.echo("ifaces/eth0/addr/set", "10.0.2.15/16\n"), Ok(13));
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "off\n");
}

#[test]
fn nonsense_is_refused_at_write_and_changes_nothing() {
    let mut rig = netcfg(Some(MAC));
    let before = rig.cat("ifaces/eth0/addr/list");
    for (path, lines) in [
        (
            "ifaces/eth0/addr/set",
            &[
                "10.0.2.15\n",
                "10.0.2.15/33\n",
                "224.0.0.1/4\n",
                "0.0.0.0/0\n",
                "127.0.0.1/8\n",
                "10.0.2.0/24\n",
                "10.0.2.255/24\n",
                "abc\n",
            ][..],
        ),
        ("resolv/nameserver", &["255.255.255.255\n", "0.0.0.0\n", "224.0.0.1\n", "dns\n"]),
        ("ifaces/eth0/mac", &["ff-ff-ff-ff-ff-ff\n", "52-54\n"]),
        ("ifaces/eth0/state", &["sideways\n"]),
        ("route/add", &["default\n", "10.0.0.0/8 via\n", "10.0.0.0/8 via 192.0.2.1\n"]),
    ] {
        for line in lines {
            assert_eq!(rig.echo(path, line), Err(EINVAL), "{path} {line}");
        }
    }
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), before);
    assert_eq!(rig.cat("resolv/nameserver"), "8.8.8.8\n");
}

#[test]
fn a_change_is_made_at_fsync_once() {
    let mut rig = netcfg(Some(MAC));
    let id = rig.open_with("resolv/nameserver", O_WRONLY).unwrap();
    assert_eq!(rig.write(id, b"9.9."), Ok(4));
    assert_eq!(rig.write(id, b"9.9\n"), Ok(4));
    assert_eq!(rig.cat("resolv/nameserver"), "8.8.8.8\n");
    rig.scheme.fsync(id, &caller(0)).unwrap();
    assert_eq!(rig.cat("resolv/nameserver"), "9.9.9.9\n");
    assert_eq!(rig.write(id, b"1.1.1.1\n"), Err(EBADF));

    let two = rig.open_with("resolv/nameserver", O_WRONLY).unwrap();
    assert_eq!(rig.write(two, b"1.1.1.1\n8.8.4.4\n"), Err(EINVAL));
    rig.close(two);
    let nothing = rig.open_with("resolv/nameserver", O_WRONLY).unwrap();
    rig.scheme.fsync(nothing, &caller(0)).unwrap();
    rig.close(nothing);
    assert_eq!(rig.cat("resolv/nameserver"), "9.9.9.9\n");
}

#[test]
fn looking_is_no_way_to_write() {
    let mut rig = netcfg(Some(MAC));
    rig.uid = 1000;
    for flags in [O_WRONLY, O_RDWR] {
        let id = rig.open_with("resolv/nameserver", flags | O_STAT).unwrap();
        assert_eq!(rig.write(id, b"6.6.6.6\n"), Err(EBADF));
        rig.close(id);
    }
    assert_eq!(rig.cat("resolv/nameserver"), "8.8.8.8\n");
}

#[test]
fn reading_is_a_snapshot_for_all_and_writing_for_the_administrator() {
    let mut rig = netcfg(Some(MAC));
    let early = rig.open_with("resolv/nameserver", O_RDONLY).unwrap();
    rig.echo("resolv/nameserver", "9.9.9.9\n").unwrap();
    assert_eq!(rig.text(early), "8.8.8.8\n");
    rig.uid = 1000;
    assert_eq!(rig.cat("resolv/nameserver"), "9.9.9.9\n");
    assert_eq!(rig.echo("resolv/nameserver", "1.1.1.1\n"), Err(EACCES));
    rig.uid = 0;
    assert_eq!(rig.echo("ifaces/eth0/stats", "0\n"), Err(EACCES));
    assert_eq!(rig.open_with("route/add", O_RDONLY), Err(EACCES));
    assert_eq!(rig.open_with("ifaces/eth1", O_STAT), Err(ENOENT));
    assert_eq!(rig.open_with("ifaces/lo/dhcp", O_STAT), Err(ENOENT));
    let (directory, file) =
        (rig.open_with("ifaces", O_STAT).unwrap(), rig.open_with("route/add", O_STAT).unwrap());
    assert_eq!((rig.mode(directory), rig.mode(file)), (MODE_DIR | 0o755, MODE_FILE | 0o200));
}

#[test]
fn sockets_are_listed_with_what_waits() {
    let mut netcfg = netcfg(Some(MAC));
    let stack = netcfg.stack.clone();
    let (mut tcp, mut udp) = (rig::<Tcp>(&stack), rig::<Udp>(&stack));
    tcp.uid = 1000;
    tcp.open("/127.0.0.1:8080").unwrap();
    tcp.uid = 0;
    let client = tcp.open("127.0.0.1:8080/127.0.0.1:2000").unwrap();
    udp.open("/127.0.0.1:53").unwrap();
    let asker = udp.open("127.0.0.1:53/127.0.0.1:2053").unwrap();
    udp.write(asker, b"who?").unwrap();
    udp.settle();
    let expected = "tcp listen 127.0.0.1:8080 * 1 0 1000\n\
                    tcp established 127.0.0.1:2000 127.0.0.1:8080 0 0 0\n\
                    tcp established 127.0.0.1:8080 127.0.0.1:2000 0 0 1000\n\
                    udp open 127.0.0.1:53 * 4 0 0\n\
                    udp connected 127.0.0.1:2053 127.0.0.1:53 0 0 0\n";
    assert_eq!(netcfg.cat("sockets"), expected);
    tcp.close(client);
}

#[test]
fn neighbours_are_listed_with_what_is_known_of_them() {
    let mut rig = netcfg(Some(MAC));
    rig.echo("ifaces/eth0/addr/set", "10.0.2.15/24\n").unwrap();
    {
        let stack = &mut rig.stack.borrow_mut();
        let (now, eth0) = (stack.network.now, stack.network.find("eth0").unwrap());
        let Some(Link::Ethernet { neighbours, .. }) =
            stack.network.interface_mut(eth0).map(|own| &mut own.link)
        else {
            panic!("eth0 is Ethernet")
        };
        neighbours.learn("10.0.2.2".parse().unwrap(), MAC, now);
        neighbours.resolve("10.0.2.9".parse().unwrap(), Vec::new().into(), now);
    }
    assert_eq!(
        rig.cat("ifaces/eth0/neigh"),
        "10.0.2.2 52:54:00:12:34:56 reachable\n10.0.2.9 none incomplete\n"
    );
    rig.stack.borrow_mut().network.now += Duration::from_secs(61);
    assert!(rig.cat("ifaces/eth0/neigh").starts_with("10.0.2.2 52:54:00:12:34:56 stale\n"));
}
