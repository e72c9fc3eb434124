//! Which of our addresses a packet comes from (RFC 6724 section 5).

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

/// RFC 6724 section 2.1: what has the same label goes together.
const LABELS: [(Ipv6Net, u8); 9] = [
    (net(Ipv6Addr::LOCALHOST, 128), 0),
    (net(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), 4),
    (net(Ipv6Addr::UNSPECIFIED, 96), 3),
    (net(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32), 5),
    (net(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), 2),
    (net(Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), 12),
    (net(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10), 11),
    (net(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), 13),
    (net(Ipv6Addr::UNSPECIFIED, 0), 1),
];

const fn net(prefix: Ipv6Addr, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(prefix, length)
}

/// An address of ours that a packet may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The address, with its prefix.
    pub own: Ipv6Net,
    /// New connections should use another one.
    pub is_deprecated: bool,
}

/// The best of `candidates` for packets to `destination`.
pub fn source(destination: Ipv6Addr, candidates: impl Iterator<Item = Candidate>) -> Option<Ipv6Addr> {
    candidates.max_by_key(|candidate| rank(destination, candidate)).map(|candidate| candidate.own.addr())
}

/// Rules 1, 2, 3, 6 and 8, in this order: more is better. The others are about what we do not have.
fn rank(destination: Ipv6Addr, candidate: &Candidate) -> (bool, i32, bool, bool, u32) {
    let own = candidate.own.addr();
    let (reach, wanted) = (scope(own), scope(destination));
    let fit = if reach >= wanted { 16 - reach } else { reach - 16 };
    let common = (u128::from(own) ^ u128::from(destination)).leading_zeros();
    (
        own == destination,
        fit,
        !candidate.is_deprecated,
        label(own) == label(destination),
        common.min(candidate.own.prefix_len().into()),
    )
}

/// RFC 6724 section 3.1: how far an address is known, as RFC 4291 section 2.7 numbers it.
fn scope(address: Ipv6Addr) -> i32 {
    const LINK: i32 = 2;
    const SITE: i32 = 5;
    const GLOBAL: i32 = 14;
    let [first, second, ..] = address.octets();
    match address {
        _ if address.is_multicast() => i32::from(second & 0x0f),
        _ if address.is_loopback() || address.is_unicast_link_local() => LINK,
        _ if first == 0xfe && second >= 0xc0 => SITE,
        _ => GLOBAL,
    }
}

fn label(address: Ipv6Addr) -> Option<u8> {
    LABELS.iter().find(|(prefix, _)| prefix.contains(&address)).map(|(_, label)| *label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(destination: &str, own: &[&str]) -> String {
        let candidates = own.iter().map(|text| Candidate {
            own: text.trim_end_matches('!').parse().unwrap(),
            is_deprecated: text.ends_with('!'),
        });
        source(destination.parse().unwrap(), candidates).unwrap().to_string()
    }

    /// The examples of RFC 6724 section 10.1, as far as their rules are ours.
    #[test]
    fn the_standard_s_examples_come_out_as_it_says() {
        let (global, link) = ("2001:db8:1::1/64", "fe80::1/64");
        assert_eq!(chosen("2001:db8:1::5", &["2001:db8:3::1/64", link]), "2001:db8:3::1");
        assert_eq!(chosen("ff05::1", &["2001:db8:3::1/64", link]), "2001:db8:3::1");
        assert_eq!(chosen("2001:db8:1::1", &["2001:db8:1::1/64!", "2001:db8:2::1/64"]), "2001:db8:1::1");
        assert_eq!(chosen("fe80::5", &["fe80::1/64!", global]), "fe80::1");
        assert_eq!(chosen("2001:db8:1::5", &["2001:db8:1::2/64!", "2001:db8:3::2/64"]), "2001:db8:3::2");
        assert_eq!(chosen("2002:c633:6401::1", &[global, "2002:c633:6401::d5e3/48"]), "2002:c633:6401::d5e3");
        assert_eq!(chosen("2001:db8:1::d5e3", &["2001:db8:1::2/64", "2001:db8:3::2/64"]), "2001:db8:1::2");
        assert_eq!(chosen("fd11::1", &[global, "fd22::1/64"]), "fd22::1");
    }
}
