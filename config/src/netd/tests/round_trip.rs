//! Any configuration that makes sense reads as it was written.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn valid<T: std::str::FromStr>(text: String) -> Option<T> {
    text.parse().ok()
}

fn any_ip() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>()
}

fn any_host() -> impl Strategy<Value = Host> {
    any_ip().prop_filter_map("no host", |address| valid(address.to_string()))
}

fn any_net() -> impl Strategy<Value = IpNet> {
    (any_ip(), 1..=128_u8).prop_map(|(address, length)| {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new_assert(address, length.min(longest))
    })
}

fn any_address() -> impl Strategy<Value = Address> {
    any_net().prop_filter_map("no host", |net| valid(net.to_string()))
}

fn any_metric() -> impl Strategy<Value = Metric> {
    any::<u32>().prop_map(Metric)
}

fn any_route() -> impl Strategy<Value = Route> {
    (any_net(), option::of(any_host()), option::of(any_metric()), any::<bool>()).prop_map(
        |(net, via, metric, is_default)| {
            let default = match via {
                Some(Host(IpAddr::V4(_))) => IpNet::V4(Ipv4Net::default()),
                _ => IpNet::V6(Ipv6Net::default()),
            };
            let via = via.filter(|via| is_default || via.0.is_ipv4() == net.addr().is_ipv4());
            let to = if is_default && via.is_some() { default } else { net.trunc() };
            Route { to, via, metric }
        },
    )
}

fn any_mac() -> impl Strategy<Value = Mac> {
    any::<[u8; 6]>().prop_map(|[first, b, c, d, e, f]| Mac([first & 0xfe, b, c, d, e, f | 1]))
}

fn any_match() -> impl Strategy<Value = Match> {
    // A dot may make it a VLAN's, which cannot have all of it.
    let name = any::<String>().prop_map(|name| name.replace('.', "-"));
    (name, option::of(any_mac()), option::of(any::<String>())).prop_map(|(name, mac, driver)| Match {
        name: Some(name),
        mac,
        driver,
    })
}

/// A NIC that has no name yet, and the one that it is given: many enough that hardly two are the same.
fn any_named() -> impl Strategy<Value = (Match, Option<Name>)> {
    let name = "[a-z]{10}[A-Z0-9_-]{0,5}".prop_map(|name| name.parse().ok());
    (any_mac(), option::of(any::<String>()), name)
        .prop_map(|(mac, driver, name)| (Match { name: None, mac: Some(mac), driver }, name))
}

fn any_interface() -> impl Strategy<Value = Interface> {
    let ids = vec(VlanId::RANGE.prop_map(|id| id.to_string().parse().unwrap()), 0..3);
    let mtu = Mtu::RANGE.prop_map(|mtu| mtu.to_string().parse().unwrap());
    let filter = any::<(bool, bool)>().prop_map(|(promisc, allmulti)| Filter { promisc, allmulti });
    let lists = (vec(any_address(), 0..3), vec(any_route(), 0..3), vec(any_host(), 0..3), ids);
    let setting =
        || prop_oneof![any::<bool>().prop_map(Setting::Switch), any::<u32>().prop_map(Setting::Number)];
    let settings = || btree_map(any::<String>(), setting(), 0..3);
    let link =
        (option::of(mtu), option::of(any_mac()), filter, settings(), settings(), settings(), settings());
    let flags = (any::<bool>(), any::<Option<bool>>(), any::<bool>(), option::of(any_metric()));
    let who = prop_oneof![any_match().prop_map(|matches| (matches, None)), any_named()];
    (who, flags, lists, link).prop_map(|((matches, name), flags, lists, link)| {
        let ((up, dhcp, keep_lease, metric), (mut addresses, mut routes, dns, mut vlan)) = (flags, lists);
        let (mtu, mac, filter, features, coalesce, rings, media) = link;
        // What makes no sense as a whole cannot be read.
        addresses.sort();
        addresses.dedup();
        vlan.sort();
        vlan.dedup();
        if dhcp != Some(true) {
            routes.retain(|route| route.via.is_none_or(|via| via.0.is_ipv6()));
        }
        let link = Interface {
            mtu,
            mac,
            filter,
            features,
            coalesce,
            rings,
            media,
            metric,
            ..Interface::new(matches)
        };
        Interface { name, up, dhcp, keep_lease, addresses, routes, dns, vlan, ..link }
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_as_it_was(
        dns in vec(any_host().prop_filter("belongs to an interface", |host| !host.is_link_local()), 0..3),
        search in vec("[a-z0-9_-]{1,63}([.][A-Z]{1,9}){0,9}".prop_map(|name| name.parse().unwrap()), 0..3),
        interfaces in vec(any_interface(), 0..4),
    ) {
        let config = Config { dns, search, interfaces };
        let text = config.to_string();
        let read = parse(Path::new("netd.toml"), &text);
        prop_assert_eq!(read.map_err(|error| error.to_string()), Ok(config), "{}", text);
    }
}
