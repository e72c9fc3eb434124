//! Which packets a capture takes: a small part of tcpdump's language.

mod packet;

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

pub use self::packet::{LinkType, Packet};

/// What to take: packets that meet all terms of one of the alternatives. Without any, every packet.
///
/// Its text is terms between which `and` may stand, and alternatives between which `or` stands; `not` before a
/// term takes the others. Terms are `arp`, `ip`, `ip6`, `tcp`, `udp`, `icmp`, `icmp6`, and with `src` or `dst`
/// before them or without: `host ADDRESS`, `net PREFIX`, `port NUMBER`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Vec<Term>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Protocol(Protocol),
    Net(Side, IpNet),
    Port(Side, u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Arp,
    Ip,
    Ip6,
    Tcp,
    Udp,
    Icmp,
    Icmp6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Either,
    Source,
    Destination,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The word means nothing here.
    #[error("`{word}` is not a filter's word, did you mean `{nearest}`?")]
    UnknownWord {
        /// As it is written.
        word: String,
        /// The known word most like it.
        nearest: &'static str,
    },
    /// Something must follow a word.
    #[error("after `{after}` comes {expected}")]
    Missing {
        /// The word.
        after: String,
        /// What follows it.
        expected: &'static str,
    },
    /// A word is followed by what it does not take.
    #[error("after `{after}` comes {expected}, not `{found}`")]
    Wrong {
        /// The word.
        after: String,
        /// What follows it.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

const WORDS: [(&str, Protocol); 7] = [
    ("arp", Protocol::Arp),
    ("ip", Protocol::Ip),
    ("ip6", Protocol::Ip6),
    ("tcp", Protocol::Tcp),
    ("udp", Protocol::Udp),
    ("icmp", Protocol::Icmp),
    ("icmp6", Protocol::Icmp6),
];

/// Those that are followed by something.
const OTHER_WORDS: [&str; 8] = ["host", "net", "port", "src", "dst", "not", "and", "or"];

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut words = text.split_whitespace().peekable();
        if words.peek().is_none() {
            return Ok(Self::default());
        }
        let mut alternatives = vec![vec![term(&mut words, "the beginning")?]];
        while let Some(&word) = words.peek() {
            if ["and", "or"].contains(&word) {
                words.next();
            }
            let next = term(&mut words, word)?;
            match alternatives.last_mut() {
                Some(terms) if word != "or" => terms.push(next),
                _ => alternatives.push(vec![next]),
            }
        }
        Ok(Self(alternatives))
    }
}

/// Reads one term, which comes after the word `before`.
fn term<'a>(words: &mut impl Iterator<Item = &'a str>, before: &str) -> Result<Term, FilterError> {
    const EXPECTED: &str = "a term, such as `tcp` or `port 80`";
    let (mut negated, mut side, mut after) = (false, Side::Either, before);
    loop {
        let missing = FilterError::Missing { after: after.to_owned(), expected: EXPECTED };
        let word = words.next().ok_or(missing)?;
        after = word;
        match word {
            "not" => negated = !negated,
            "src" => side = Side::Source,
            "dst" => side = Side::Destination,
            _ => return Ok(Term { negated, test: test(word, side, words)? }),
        }
    }
}

fn test<'a>(word: &str, side: Side, words: &mut impl Iterator<Item = &'a str>) -> Result<Test, FilterError> {
    match word {
        "host" => {
            let address: IpAddr = argument(word, "an address, such as 10.0.2.2 or fe80::1", words)?;
            Ok(Test::Net(side, address.into()))
        }
        "net" => Ok(Test::Net(side, argument(word, "a network, such as 10.0.2.0/24", words)?)),
        "port" => Ok(Test::Port(side, argument(word, "a port: a number up to 65535", words)?)),
        _ => WORDS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, protocol)| Test::Protocol(*protocol))
            .ok_or_else(|| unknown(word)),
    }
}

fn argument<'a, T: FromStr>(
    word: &str,
    expected: &'static str,
    words: &mut impl Iterator<Item = &'a str>,
) -> Result<T, FilterError> {
    let after = word.to_owned();
    let Some(found) = words.next() else { return Err(FilterError::Missing { after, expected }) };
    found.parse().map_err(|_| FilterError::Wrong { after, expected, found: found.to_owned() })
}

fn unknown(word: &str) -> FilterError {
    let known = WORDS.iter().map(|(name, _)| *name).chain(OTHER_WORDS);
    let nearest = known.min_by_key(|known| strsim::damerau_levenshtein(known, word)).unwrap_or_default();
    FilterError::UnknownWord { word: word.to_owned(), nearest }
}

impl Filter {
    /// Whether the packet is to be taken.
    pub fn takes(&self, packet: &Packet) -> bool {
        let meets = |terms: &Vec<Term>| terms.iter().all(|term| term.test.is_met_by(packet) != term.negated);
        self.0.is_empty() || self.0.iter().any(meets)
    }
}

impl Test {
    fn is_met_by(&self, packet: &Packet) -> bool {
        match self {
            Self::Protocol(protocol) => protocol.is_of(packet),
            Self::Net(side, net) => side.any(packet.addresses, |address| net.contains(&address)),
            Self::Port(side, port) => side.any(packet.ports, |own| own == *port),
        }
    }
}

impl Side {
    /// Whether a source or destination of this side meets `condition`.
    fn any<T: Copy>(self, sides: Option<(T, T)>, condition: impl Fn(T) -> bool) -> bool {
        let Some((source, destination)) = sides else { return false };
        match self {
            Self::Either => condition(source) || condition(destination),
            Self::Source => condition(source),
            Self::Destination => condition(destination),
        }
    }
}

impl Protocol {
    fn is_of(self, packet: &Packet) -> bool {
        use packet::{ethertype, protocol};
        let is_ip = |ethertype, number| packet.ethertype == ethertype && packet.protocol == Some(number);
        match self {
            Self::Arp => packet.ethertype == ethertype::ARP,
            Self::Ip => packet.ethertype == ethertype::IPV4,
            Self::Ip6 => packet.ethertype == ethertype::IPV6,
            Self::Tcp => packet.protocol == Some(protocol::TCP),
            Self::Udp => packet.protocol == Some(protocol::UDP),
            Self::Icmp => is_ip(ethertype::IPV4, protocol::ICMP),
            Self::Icmp6 => is_ip(ethertype::IPV6, protocol::ICMPV6),
        }
    }
}

#[cfg(test)]
mod tests;
