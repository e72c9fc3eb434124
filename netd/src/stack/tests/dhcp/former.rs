//! The lease of a netd that ran before, or of the network that the cable was in before.

use super::*;

/// A host that had `OFFERED` before netd was started.
fn started_again(is_held: bool, hardware: EthernetAddress) -> Lan {
    let mut lan = Lan::new();
    let former = Former { address: OFFERED, hardware, is_held };
    lan.host = Stack::new(Random::new([5, 5]), lan.now);
    lan.host.network.former_leases.insert("eth0".to_owned(), former);
    let eth0 = lan.host.network.add_ethernet("eth0");
    lan.host.network.interface_mut(eth0).unwrap().ipv6 = None;
    lan.host.link_up(eth0, CLIENT_MAC, 1500);
    lan
}

#[test]
fn the_lease_of_a_former_netd_is_asked_for_without_looking_for_servers() {
    let mut lan = started_again(true, CLIENT_MAC);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.kinds(), [DhcpMessageType::Request]);
    assert_eq!((lan.seen[0].requested, lan.seen[0].server), (Some(OFFERED), None));
    assert_eq!(lan.seen[0].from, IpAddr::from(Ipv4Addr::UNSPECIFIED));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn a_server_that_does_not_know_the_former_lease_is_found_anew() {
    let mut lan = started_again(true, CLIENT_MAC);
    lan.silent = true;
    lan.run(Duration::from_secs(6));
    lan.silent = false;
    lan.run(Duration::from_secs(10));
    let kinds = lan.kinds();
    assert_eq!(kinds.first(), Some(&DhcpMessageType::Request));
    assert_eq!(kinds.last(), Some(&DhcpMessageType::Request));
    assert!(kinds.contains(&DhcpMessageType::Discover));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn an_address_that_was_given_back_is_only_preferred_and_another_card_s_is_not() {
    for (is_held, hardware, requested) in [(false, CLIENT_MAC, Some(OFFERED)), (true, SERVER_MAC, None)] {
        let mut lan = started_again(is_held, hardware);
        lan.run(Duration::from_secs(1));
        assert_eq!(lan.kinds()[0], DhcpMessageType::Discover);
        assert_eq!(lan.seen[0].requested, requested);
    }
}

#[test]
fn in_another_network_the_former_lease_is_refused_and_a_new_one_asked_for() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    lan.refuse = true;
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    assert_eq!(lan.address(), Some(OFFERED), "meanwhile it is used");
    lan.run(Duration::from_millis(900));
    assert_eq!(lan.address(), None);
    assert_eq!((lan.seen[0].requested, lan.seen[0].server), (Some(OFFERED), None), "RFC 2131 section 4.3.2");
    lan.refuse = false;
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn in_another_network_whose_server_says_nothing_of_the_former_lease_a_new_one_is_asked_for() {
    let mut lan = Lan::bound();
    let other = Ipv4Addr::new(192, 168, 7, 9);
    lan.host.link_down(ETH0);
    (lan.modest, lan.given.your_ip) = (true, other);
    lan.given.router = Some(Ipv4Addr::new(192, 168, 7, 1));
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(10));
    assert_eq!(lan.address(), Some(other));
    assert_eq!(lan.host.network.routes.iter().filter(|route| route.source == OFFERED).count(), 0);
}

#[test]
fn a_lease_that_no_server_confirms_is_used_until_it_ends() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    lan.silent = true;
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(3000));
    assert_eq!(lan.address(), Some(OFFERED));
    lan.run(Duration::from_secs(600));
    assert_eq!(lan.address(), None);
}
