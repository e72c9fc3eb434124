//! Whole configurations: applied, tried, confirmed, shown.

use scheme::SchemeSync;
use scheme::errno::*;
use scheme::flag::{O_RDONLY, O_WRONLY};
use smoltcp::time::Duration;

use super::netcfg::{MAC, netcfg};
use super::*;
use crate::schemes::netcfg::Netcfg;

const STATIC: &str = "\
dns = [\"10.0.0.3\"]

[[interface]]
match.name = \"eth0\"
addresses = [\"10.0.0.2/24\", \"10.0.0.9/24\"]
routes = [
    { to = \"default\", via = \"10.0.0.1\" },
]
";

impl Rig<Netcfg> {
    /// Writes `text` as one who looks at the answer: the reason, if it is not taken.
    fn commit(&mut self, path: &str, text: &str) -> Result<(), String> {
        let id = self.open_with(path, O_RDWR).unwrap();
        let written = self.write(id, text.as_bytes());
        let answer =
            written.and_then(|_| self.scheme.fsync(id, &caller(self.uid)).map_err(|error| error.errno));
        let reason = self.text(id);
        self.close(id);
        answer.map_err(|errno| {
            assert_eq!(errno, EINVAL);
            reason
        })
    }

    fn pass(&mut self, seconds: u64) {
        self.stack.borrow_mut().network.now += Duration::from_secs(seconds);
        self.scheme.follow();
    }

    fn has_static_address(&mut self) -> bool {
        self.cat("ifaces/eth0/addr/list").contains("10.0.0.2/24")
    }
}

#[test]
fn a_configuration_is_applied_as_a_whole() {
    let mut rig = netcfg(Some(MAC));
    assert_eq!(rig.cat("config/running"), "", "all is left to DHCP");
    rig.commit("config/apply", STATIC).unwrap();
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "10.0.0.2/24\n10.0.0.9/24\n");
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "off\n");
    assert_eq!(rig.cat("resolv/nameserver"), "10.0.0.3\n");
    assert!(rig.cat("route/list").contains("default via 10.0.0.1 dev eth0 src 10.0.0.2\n"));
    assert_eq!(rig.cat("config/running"), STATIC);

    rig.commit("config/apply", "[[interface]]\nmatch.name = 'eth0'\naddresses = ['10.0.0.9/24']\n").unwrap();
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "10.0.0.9/24\n");
    assert_eq!(rig.cat("route/list"), "10.0.0.0/24  dev eth0 src 10.0.0.9\n");
    rig.commit("config/apply", "# Nothing.\n").unwrap();
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "Not configured\n");
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n");
}

#[test]
fn a_wrong_configuration_changes_nothing_and_its_writer_reads_why() {
    let mut rig = netcfg(Some(MAC));
    rig.commit("config/apply", STATIC).unwrap();
    let wrong = STATIC.replace("10.0.0.9/24", "10.0.0.255/24").replace("10.0.0.3", "10.0.0.4");
    let reason = rig.commit("config/apply", &wrong).unwrap_err();
    assert!(reason.starts_with("netd.toml:5: 10.0.0.255/24 is not an address of a host"), "{reason}");
    let reason = rig.commit("config/apply", "dsn = []\n").unwrap_err();
    assert_eq!(reason, "netd.toml:1: unknown key `dsn`, did you mean `dns`?\n");
    let reason = rig.commit("config/try", "soon\n").unwrap_err();
    assert_eq!(reason, "the first line is \"soon\", not how many seconds the trial lasts: 1 to 86400\n");
    assert_eq!(rig.cat("config/running"), STATIC);
    assert_eq!(rig.cat("config/confirm"), "none\n");
}

#[test]
fn what_nobody_confirms_goes_back_by_itself() {
    let mut rig = netcfg(Some(MAC));
    rig.commit("config/try", &format!("60\n{STATIC}")).unwrap();
    assert!(rig.has_static_address());
    assert_eq!(rig.cat("config/confirm"), "60\n");
    rig.pass(59);
    assert!(rig.has_static_address());
    assert_eq!(rig.cat("config/confirm"), "1\n");
    rig.pass(1);
    assert!(!rig.has_static_address());
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n");
    assert_eq!(rig.cat("config/running"), "");
    assert_eq!(rig.echo("config/confirm", "yes\n"), Err(EINVAL), "too late");
}

#[test]
fn what_is_confirmed_stays() {
    let mut rig = netcfg(Some(MAC));
    rig.commit("config/try", &format!("60\n{STATIC}")).unwrap();
    rig.echo("config/confirm", "yes\n").unwrap();
    rig.pass(61);
    assert!(rig.has_static_address());
    assert_eq!(rig.scheme.deadline(), None);
}

#[test]
fn a_second_trial_goes_back_to_what_was_before_the_first() {
    let mut rig = netcfg(Some(MAC));
    rig.commit("config/try", &format!("60\n{STATIC}")).unwrap();
    rig.commit("config/try", &format!("10\n{}", STATIC.replace("10.0.0.9", "10.0.0.8"))).unwrap();
    rig.pass(10);
    assert_eq!(rig.cat("config/running"), "");
}

#[test]
fn single_changes_are_part_of_the_configuration() {
    let mut rig = netcfg(Some(MAC));
    rig.echo("ifaces/eth0/addr/set", "10.0.0.2/24\n").unwrap();
    rig.echo("route/add", "10.1.0.0/16 via 10.0.0.7\n").unwrap();
    rig.echo("route/add", "10.1.0.0/16 via 10.0.0.8\n").unwrap();
    rig.echo("resolv/nameserver", "10.0.0.3\n").unwrap();
    rig.echo("ifaces/eth0/state", "down\n").unwrap();
    let expected = "dns = [\"10.0.0.3\"]\n\n[[interface]]\nmatch.name = \"eth0\"\nup = false\ndhcp = false\n\
                    addresses = [\"10.0.0.2/24\"]\nroutes = [\n    { to = \"10.1.0.0/16\", via = \"10.0.0.8\" },\n]\n";
    assert_eq!(rig.cat("config/running"), expected);
    rig.echo("route/rm", "10.1.0.0/16\n").unwrap();
    assert!(!rig.cat("config/running").contains("10.1.0.0"));
    assert!(!rig.cat("route/list").contains("10.1.0.0"));
}

#[test]
fn addresses_come_and_go_beside_others() {
    let mut rig = netcfg(Some(MAC));
    rig.echo("ifaces/eth0/addr/add", "10.0.0.2/24\n").unwrap();
    rig.echo("ifaces/eth0/addr/add", "fd00::2/64\n").unwrap();
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "10.0.0.2/24\n");
    for _ in 0..5 {
        // Somebody might object.
        rig.pass(1);
        rig.settle();
    }
    let list = rig.cat("ifaces/eth0/addr/list6");
    assert!(list.contains("fd00::2/64\n"), "{list}");
    assert_eq!(rig.cat("ifaces/eth0/dhcp/state"), "searching\n", "goes on beside");
    rig.echo("ifaces/eth0/addr/rm", "10.0.0.2/24\n").unwrap();
    assert_eq!(rig.cat("ifaces/eth0/addr/list"), "Not configured\n");
    let reason = rig.commit("ifaces/eth0/addr/rm", "10.0.0.2/24\n");
    assert_eq!(reason, Err("nobody gave eth0 the address 10.0.0.2/24 by hand\n".to_owned()));
}

#[test]
fn routes_are_told_by_destination_interface_and_metric() {
    let mut rig = netcfg(Some(MAC));
    rig.stack.borrow_mut().network.add_ethernet("eth1");
    rig.echo("ifaces/eth0/addr/set", "10.0.0.2/24\n").unwrap();
    rig.echo("ifaces/eth1/addr/set", "10.0.1.2/24\n").unwrap();
    rig.echo("route/add", "default via 10.0.0.1 metric 5\n").unwrap();
    rig.echo("route/add", "default via 10.0.1.1 dev eth1\n").unwrap();
    rig.echo("route/add", "10.7.0.0/16 dev eth1\n").unwrap();
    let routes = rig.cat("route/list");
    assert!(routes.contains("default via 10.0.0.1 dev eth0 src 10.0.0.2 metric 5\n"), "{routes}");
    assert!(routes.contains("10.7.0.0/16  dev eth1 src 10.0.1.2\n"), "{routes}");
    rig.echo("route/rm", "default dev eth1\n").unwrap();
    let routes = rig.cat("route/list");
    assert!(!routes.contains("10.0.1.1") && routes.contains("10.0.0.1"), "{routes}");
}

#[test]
fn who_asks_for_nonsense_reads_why() {
    let mut rig = netcfg(Some(MAC));
    for (path, line, expected) in [
        ("route/add", "default", "neither `via` nor `dev` says where the route leads"),
        ("route/add", "default via 10.0.0.1", "no interface has a network with 10.0.0.1"),
        ("route/add", "10.0.0.0/8 by 10.0.0.1", "`by` is not `via`, `dev` or `metric`"),
        ("route/add", "default via fd00::1 dev eth7", "there is no interface eth7"),
        ("ifaces/eth0/state", "on", "\"on\" is not `up` or `down`"),
        ("ifaces/lo/state", "down", "lo is as it is"),
        ("config/confirm", "yes", "nothing is on trial"),
        ("ifaces/eth0/mac", "me", "me is not an Ethernet address of one station, such as 52:54:00:12:34:56"),
    ] {
        assert_eq!(rig.commit(path, &format!("{line}\n")), Err(format!("{expected}\n")), "{path}");
    }
    assert_eq!(rig.open_with("route/add", O_RDONLY), Err(EACCES), "there is nothing else to read");
}

#[test]
fn a_single_change_leaves_a_table_for_several_interfaces_alone() {
    let mut rig = netcfg(Some(MAC));
    rig.stack.borrow_mut().network.add_ethernet("eth1");
    let both = "[[interface]]\nmatch.name = \"eth*\"\ndns = [\"10.0.0.3\"]\n";
    rig.commit("config/apply", both).unwrap();
    rig.echo("ifaces/eth1/state", "down\n").unwrap();
    let own = "[[interface]]\nmatch.name = \"eth1\"\nup = false\ndns = [\"10.0.0.3\"]\n";
    assert_eq!(rig.cat("config/running"), format!("{own}\n{both}"));
    assert_eq!(rig.cat("ifaces/eth0/state"), "up\n");
    rig.echo("ifaces/eth1/state", "up\n").unwrap();
    assert_eq!(rig.cat("config/running"), format!("{}\n{both}", own.replace("up = false\n", "")));
}

#[test]
fn the_configuration_is_root_s_to_change_and_everyone_s_to_read() {
    let mut rig = netcfg(Some(MAC));
    rig.uid = 1000;
    for path in ["config/apply", "config/try", "config/confirm"] {
        assert_eq!(rig.open_with(path, O_WRONLY), Err(EACCES), "{path}");
    }
    for path in ["config/running", "config/confirm"] {
        assert!(rig.open_with(path, O_RDONLY).is_ok(), "{path}");
    }
}

/// Every key of the file.
const EVERYTHING: &str = "\
dns = [\"10.0.0.3\", \"fd00::3\"]
search = [\"home.arpa\"]

[[interface]]
match.name = \"eth0\"
up = false
dhcp = true
keep_lease = true
addresses = [\"10.0.0.2/24\", \"fd00::2/64\"]
routes = [
    { to = \"default\", via = \"10.0.0.1\", metric = 7 },
    { to = \"10.7.0.0/16\" },
]
dns = [\"fe80::53\"]
mtu = 1400
mac = \"52:54:00:12:34:57\"
vlan = [10]
filter.promisc = true
filter.allmulti = true
features = { tso = false }
coalesce = { adaptive = false, rx-usecs = 50 }
metric = 5

[[interface]]
match.mac = \"52:54:00:12:34:58\"
match.driver = \"*_e1000\"
";

#[test]
fn what_runs_is_what_was_applied_key_by_key() {
    let mut rig = netcfg(Some(MAC));
    rig.commit("config/apply", EVERYTHING).unwrap();
    assert_eq!(rig.cat("config/running"), EVERYTHING);
    let example = include_str!("../../../../config/net/netd.toml");
    for line in example.lines().filter(|line| line.contains(" = ") && !line.contains('{')) {
        let key = line.trim_start_matches("# ").split(" = ").next().unwrap();
        assert!(EVERYTHING.contains(&format!("{key} = ")), "{key} is told of and not tried here");
    }
}

proptest::proptest! {
    /// Any lines of the file above, without those of the lists, which take several.
    #[test]
    fn what_runs_is_what_was_applied_whatever_is_left_out(mask in proptest::prelude::any::<u32>()) {
        let is_kept = |place: usize, line: &str| {
            let is_free = !line.starts_with(['[', ' ', ']']) && !line.contains('[') && line.contains(" = ");
            !is_free || line.starts_with("match") || mask >> (place % 32) & 1 == 1
        };
        let text: String = EVERYTHING
            .lines()
            .enumerate()
            .filter(|(place, line)| is_kept(*place, line))
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        let mut rig = netcfg(Some(MAC));
        rig.commit("config/apply", &text).unwrap();
        let running = rig.cat("config/running");
        proptest::prop_assert_eq!(&running, &text);
        // And so it is found by the next netd.
        let read = |text: &str| config::netd::parse(std::path::Path::new("netd.toml"), text).unwrap();
        proptest::prop_assert_eq!(read(&running), read(&text));
    }
}
