use std::net::IpAddr;
use std::path::Path;

use smoltcp::wire::EthernetAddress;

use super::*;
use crate::stack::Random;

const MAC: EthernetAddress = EthernetAddress([0x52, 0x54, 0, 0, 0, 1]);
const DRIVER: &str = "network.pci-0000-00-03.0_e1000";

fn config(text: &str) -> Config {
    config::netd::parse(Path::new("netd.toml"), text).unwrap()
}

/// A host with `eth0`, whose NIC has no driver yet.
fn host() -> (Stack, InterfaceId) {
    let mut stack = Stack::new(Random::new([1, 2]), Instant::ZERO);
    let eth0 = stack.network.add_ethernet("eth0");
    (stack, eth0)
}

fn attach(stack: &mut Stack, id: InterfaceId) {
    let interface = stack.network.interface_mut(id).unwrap();
    interface.driver = Some(DRIVER.to_owned());
    interface.own_address = Some(MAC);
    let address = interface.wanted.address.unwrap_or(MAC);
    stack.link_up(id, address, 1500);
    stack.revision += 1;
}

fn addresses(stack: &Stack, id: InterfaceId) -> Vec<String> {
    stack.network.interface(id).unwrap().addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn an_interface_gets_its_table_when_its_nic_is_known() {
    for condition in ["match.mac = '52:54:00:00:00:01'", "match.driver = '*_e1000'"] {
        let (mut stack, eth0) = host();
        let mut intent =
            Intent::new(config(&format!("[[interface]]\n{condition}\naddresses = ['10.0.0.2/24']")));
        intent.follow(&mut stack);
        assert!(addresses(&stack, eth0).is_empty(), "{condition}");
        attach(&mut stack, eth0);
        intent.follow(&mut stack);
        assert_eq!(addresses(&stack, eth0), ["10.0.0.2/24"], "{condition}");
    }
}

#[test]
fn an_interface_keeps_its_table_when_its_driver_goes() {
    let (mut stack, eth0) = host();
    let mut intent =
        Intent::new(config("[[interface]]\nmatch.driver = '*_e1000'\naddresses = ['10.0.0.2/24']"));
    attach(&mut stack, eth0);
    intent.follow(&mut stack);
    stack.link_down(eth0);
    stack.network.interface_mut(eth0).unwrap().driver = None;
    stack.revision += 1;
    intent.follow(&mut stack);
    assert_eq!(addresses(&stack, eth0), ["10.0.0.2/24"]);
}

#[test]
fn another_address_does_not_make_it_another_nic() {
    let (mut stack, eth0) = host();
    let text = "[[interface]]\nmatch.mac = '52:54:00:00:00:01'\nmac = '52:54:00:00:00:02'\naddresses = ['10.0.0.2/24']";
    let mut intent = Intent::new(config(text));
    attach(&mut stack, eth0);
    for _ in 0..3 {
        intent.follow(&mut stack);
        // The driver takes it over.
        attach(&mut stack, eth0);
    }
    let own = |stack: &Stack| stack.network.interface(eth0).unwrap().ethernet_address().unwrap();
    assert_eq!(own(&stack), EthernetAddress([0x52, 0x54, 0, 0, 0, 2]));
    assert_eq!(addresses(&stack, eth0), ["10.0.0.2/24"]);
    intent.apply(Config::default(), None, Instant::ZERO);
    intent.follow(&mut stack);
    attach(&mut stack, eth0);
    assert_eq!(own(&stack), MAC, "the NIC's own is back");
}

#[test]
fn what_is_wanted_is_kept() {
    let (mut stack, eth0) = host();
    let text = "[[interface]]\nmatch.name = 'eth0'\naddresses = ['10.0.0.2/24']\n\
                routes = [{ to = 'default', via = '10.0.0.1' }]";
    let mut intent = Intent::new(config(text));
    intent.follow(&mut stack);
    assert_eq!(stack.network.routes.iter().count(), 2);
    stack.network.remove_address(eth0, "10.0.0.2/24".parse().unwrap());
    assert_eq!(stack.network.routes.iter().count(), 0);
    stack.revision += 1;
    intent.follow(&mut stack);
    assert_eq!(addresses(&stack, eth0), ["10.0.0.2/24"]);
    assert_eq!(stack.network.routes.iter().count(), 2);
}

#[test]
fn a_route_waits_for_an_address_to_be_sent_from() {
    let (mut stack, eth0) = host();
    let text = "[[interface]]\nmatch.name = 'eth0'\nroutes = [{ to = '10.1.0.0/16', via = '10.0.0.7' }]";
    let mut intent = Intent::new(config(text));
    intent.follow(&mut stack);
    assert_eq!(stack.network.routes.iter().count(), 0);
    // As a lease does.
    stack.network.add_address(eth0, "10.0.0.2/24".parse().unwrap());
    stack.revision += 1;
    intent.follow(&mut stack);
    let route = stack.network.lookup("10.1.2.3".parse().unwrap(), None).unwrap();
    assert_eq!(route.via, Some("10.0.0.7".parse().unwrap()));
    assert_eq!(route.source, "10.0.0.2".parse::<IpAddr>().unwrap());
}

#[test]
fn a_vlan_is_brought_to_its_own_table_at_once() {
    let (mut stack, eth0) = host();
    let text = "[[interface]]\nmatch.name = 'eth0'\nvlan = [10]\n\
                [[interface]]\nmatch.name = 'eth0.10'\naddresses = ['10.0.10.2/24']";
    let mut intent = Intent::new(config(text));
    intent.follow(&mut stack);
    let vlan = stack.network.find("eth0.10").unwrap();
    assert_eq!(addresses(&stack, vlan), ["10.0.10.2/24"]);
    intent.apply(Config::default(), None, Instant::ZERO);
    intent.follow(&mut stack);
    assert_eq!(stack.network.find("eth0.10"), None);
    assert!(stack.network.find("eth0").is_some_and(|id| id == eth0));
    assert_eq!(stack.network.routes.iter().count(), 0, "what was its own is gone");
}

#[test]
fn following_what_is_so_changes_nothing() {
    let (mut stack, eth0) = host();
    attach(&mut stack, eth0);
    let mut intent = Intent::new(config("[[interface]]\nmatch.name = '*'\naddresses = ['10.0.0.2/24']"));
    intent.follow(&mut stack);
    let revision = stack.revision;
    intent.follow(&mut stack);
    assert_eq!(stack.revision, revision);
    let loopback = stack.network.find("lo").unwrap();
    assert!(!addresses(&stack, loopback).contains(&"10.0.0.2/24".to_owned()), "nobody configures it");
}

/// Attaches a NIC with this address, the second one with the same driver.
fn attach_another(stack: &mut Stack, id: InterfaceId, last: u8) {
    let address = EthernetAddress([0x52, 0x54, 0, 0, 0, last]);
    let interface = stack.network.interface_mut(id).unwrap();
    interface.driver = Some("network.pci-0000-00-04.0_e1000".to_owned());
    interface.own_address = Some(address);
    stack.link_up(id, address, 1500);
    stack.revision += 1;
}

fn names(stack: &Stack) -> Vec<&str> {
    stack.network.interfaces().skip(1).map(interface::Interface::name).collect()
}

#[test]
fn nics_are_called_as_their_tables_say_and_these_and_others_are_theirs() {
    let (mut stack, eth0) = host();
    let eth1 = stack.network.add_ethernet("eth1");
    let mut intent = Intent::new(config(
        "[[interface]]\nmatch.name = 'wan'\naddresses = ['10.0.0.2/24']\n\
         [[interface]]\nmatch.mac = '52:54:00:00:00:01'\nname = 'wan'\nvlan = [7]",
    ));
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["eth0", "eth1"], "nothing is known of them");
    attach(&mut stack, eth0);
    attach_another(&mut stack, eth1, 2);
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["wan", "eth1"]);
    assert_eq!(addresses(&stack, eth0), ["10.0.0.2/24"], "the first table that is for it");
    // What netcfg changes is said of it in a table of its own, which is for the name.
    intent.edit(eth0, &stack, |table| table.up = false);
    let again = config(&intent.config().to_string());
    assert_eq!(&again, intent.config());
    intent.apply(Config::default(), None, Instant::ZERO);
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["wan", "eth1"], "it keeps the name until it is given another");
}

#[test]
fn vlans_are_called_after_the_nic_that_carries_them() {
    let (mut stack, eth0) = host();
    stack.add_vlan(eth0, 7);
    attach(&mut stack, eth0);
    Intent::new(config("[[interface]]\nmatch.driver = '*_e1000'\nname = 'wan'\nvlan = [7]"))
        .follow(&mut stack);
    assert_eq!(names(&stack), ["wan", "wan.7"]);
}

#[test]
fn two_nics_change_their_names_and_one_name_is_not_for_two() {
    let (mut stack, eth0) = host();
    let eth1 = stack.network.add_ethernet("eth1");
    attach(&mut stack, eth0);
    attach_another(&mut stack, eth1, 2);
    let swap = "[[interface]]\nmatch.mac = '52:54:00:00:00:01'\nname = 'eth1'\n\
                [[interface]]\nmatch.mac = '52:54:00:00:00:02'\nname = 'eth0'";
    let mut intent = Intent::new(config(swap));
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["eth1", "eth0"]);
    // The second one keeps what it is called.
    let half = "[[interface]]\nmatch.mac = '52:54:00:00:00:01'\nname = 'eth0'";
    intent.apply(config(half), None, Instant::ZERO);
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["eth1", "eth0"]);
    let both = "[[interface]]\nmatch.driver = '*_e1000'\nname = 'wan'";
    intent.apply(config(both), None, Instant::ZERO);
    intent.follow(&mut stack);
    assert_eq!(names(&stack), ["wan", "eth0"], "the first one has it");
}

#[test]
fn a_table_for_all_with_vlans_gives_none_to_the_vlans() {
    let (mut stack, eth0) = host();
    let table = "[[interface]]\nmatch.name = 'eth*'\nmac = '52:54:00:00:00:02'\nmtu = 1400\nvlan = [10, 20]";
    let mut intent = Intent::new(config(table));
    intent.follow(&mut stack);
    let names: Vec<_> = stack.network.interfaces().map(|own| own.name().to_owned()).collect();
    assert_eq!(names, ["lo", "eth0", "eth0.10", "eth0.20"]);
    let vlan = stack.network.vlan(eth0, 10).unwrap();
    assert_eq!(stack.network.interface(vlan).unwrap().wanted.address, None, "it has that of its carrier");

    intent.edit(vlan, &stack, |table| table.up = false);
    intent.follow(&mut stack);
    assert!(!stack.network.interface(vlan).unwrap().up && stack.network.interface(eth0).unwrap().up);
    let again = config(&intent.config().to_string());
    assert_eq!(again.interfaces.len(), 2, "what is saved can be read");
}
