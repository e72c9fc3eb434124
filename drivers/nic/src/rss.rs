//! Receive-side scaling: how received frames are spread over the device's queues, and the `rss` node.

use bitflags::bitflags;

use crate::attributes::{Refused, text};

/// Bytes of the key of the Toeplitz hash.
pub const KEY: usize = 40;

/// The key that a device begins with: the one for which the hashes of examples are published (Microsoft, "Verifying the
/// RSS Hash Calculation").
const FIRST_KEY: [u8; KEY] = [
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0,
    0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42,
    0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

bitflags! {
    /// Kinds of packets that are hashed: all of IP by their addresses, and those of TCP and UDP by their ports, too.
    /// Other frames go to queue 0.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Hashes: u8 {
        /// IPv4.
        const IP4 = 1 << 0;
        /// TCP over IPv4.
        const TCP4 = 1 << 1;
        /// UDP over IPv4.
        const UDP4 = 1 << 2;
        /// IPv6.
        const IP6 = 1 << 3;
        /// TCP over IPv6.
        const TCP6 = 1 << 4;
        /// UDP over IPv6.
        const UDP6 = 1 << 5;
    }
}

/// Their names.
const NAMES: [(Hashes, &str); 6] = [
    (Hashes::IP4, "ip4"),
    (Hashes::TCP4, "tcp4"),
    (Hashes::UDP4, "udp4"),
    (Hashes::IP6, "ip6"),
    (Hashes::TCP6, "tcp6"),
    (Hashes::UDP6, "udp6"),
];

/// The lines of the `rss` node.
const LINES: &str = "`key` and 40 bytes (`6d:5a:...`), `table` and queues that the device has, no more than its table has \
                     entries, `hash` and any of `ip4 tcp4 udp4 ip6 tcp6 udp6` that it knows, or `none`";

/// How far a device can spread frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RssLimits {
    /// How many receive queues it has.
    pub queues: u8,
    /// Entries of its table: a power of two.
    pub entries: u8,
    /// The packets that it can hash.
    pub hashes: Hashes,
}

/// How the device shall spread frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rss {
    /// The key of the hash.
    pub key: [u8; KEY],
    /// The queue of a packet, by the lowest bits of its hash.
    pub table: Vec<u8>,
    /// The packets that are hashed.
    pub hashes: Hashes,
}

impl RssLimits {
    /// What holds first: all that can be hashed goes to all queues alike.
    pub fn initial(&self) -> Rss {
        let queues = (0..self.queues).cycle();
        Rss { key: FIRST_KEY, table: queues.take(self.entries.into()).collect(), hashes: self.hashes }
    }

    /// `rss` with the changes that were written to the node: all of them, or an error.
    pub fn changed(&self, rss: &Rss, written: &[u8]) -> Result<Rss, Refused> {
        let mut changed = rss.clone();
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let known = match line.split_once(' ') {
                Some(("key", key)) => parse_key(key).map(|key| changed.key = key),
                Some(("table", queues)) => self.parse_table(queues).map(|table| changed.table = table),
                Some(("hash", names)) => self.parse_hashes(names).map(|hashes| changed.hashes = hashes),
                _ => None,
            };
            known.ok_or_else(|| Refused::UnknownLine { line: line.to_owned(), known: LINES })?;
        }
        Ok(changed)
    }

    /// Queues that are repeated until the table is full.
    fn parse_table(&self, text: &str) -> Option<Vec<u8>> {
        let queue = |word: &str| word.parse().ok().filter(|queue| *queue < self.queues);
        let queues: Vec<u8> = text.split_whitespace().map(queue).collect::<Option<_>>()?;
        let entries = usize::from(self.entries);
        let fits = (1..=entries).contains(&queues.len());
        fits.then(|| queues.into_iter().cycle().take(entries).collect())
    }

    fn parse_hashes(&self, text: &str) -> Option<Hashes> {
        if text == "none" {
            return Some(Hashes::empty());
        }
        let named = |word| NAMES.iter().find(|(_, name)| *name == word).map(|(hash, _)| *hash);
        let hashes: Hashes = text.split_whitespace().map(named).collect::<Option<_>>()?;
        self.hashes.contains(hashes).then_some(hashes)
    }
}

impl Rss {
    /// The `rss` node.
    pub fn lines(&self) -> String {
        let key = self.key.map(|byte| format!("{byte:02x}")).join(":");
        let queues: Vec<_> = self.shortest().iter().map(u8::to_string).collect();
        let names = NAMES.iter().filter(|(hash, _)| self.hashes.contains(*hash)).map(|(_, name)| *name);
        let names = names.collect::<Vec<_>>().join(" ");
        let names = if names.is_empty() { "none" } else { &names };
        format!("key {key}\ntable {}\nhash {names}\n", queues.join(" "))
    }

    /// The shortest list of queues that makes the table when it is repeated.
    fn shortest(&self) -> &[u8] {
        let all = self.table.as_slice();
        let mut lists = (1..all.len()).filter_map(|length| all.get(..length));
        lists.find(|list| all.iter().eq(list.iter().cycle().take(all.len()))).unwrap_or(all)
    }
}

fn parse_key(text: &str) -> Option<[u8; KEY]> {
    let byte = |word: &str| u8::from_str_radix(word, 16).ok().filter(|_| word.len() == 2);
    let bytes: Vec<u8> = text.split(':').map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RssLimits =
        RssLimits { queues: 4, entries: 128, hashes: Hashes::IP4.union(Hashes::TCP4).union(Hashes::UDP4) };

    fn changed(text: &str) -> Result<Rss, Refused> {
        LIMITS.changed(&LIMITS.initial(), text.as_bytes())
    }

    #[test]
    fn what_is_read_can_be_written() {
        let initial = LIMITS.initial();
        let text = initial.lines();
        assert!(
            text.starts_with("key 6d:5a:56:da:") && text.ends_with("\ntable 0 1 2 3\nhash ip4 tcp4 udp4\n")
        );
        let key = "key ".to_owned() + &["ff"; KEY].join(":");
        let other = changed(&format!("{key}\ntable 3 1\nhash tcp4\n")).unwrap();
        assert_eq!(other.lines(), format!("{key}\ntable 3 1\nhash tcp4\n"));
        assert_eq!((other.table.len(), other.table[126], other.table[127]), (128, 3, 1));
        assert_eq!(LIMITS.changed(&other, text.as_bytes()), Ok(initial));
        assert_eq!(
            changed("hash none\ntable 2").map(|rss| rss.lines()[124..].to_owned()).as_deref(),
            Ok("table 2\nhash none\n")
        );
    }

    #[test]
    fn a_table_may_have_no_pattern_at_all() {
        let queues: Vec<_> = (0..128).map(|entry| if entry == 127 { "1" } else { "0" }).collect();
        let text = format!("table {}\n", queues.join(" "));
        assert!(changed(&text).is_ok_and(|rss| rss.lines().contains(&text)));
    }

    #[test]
    fn a_list_need_not_divide_the_table() {
        let rss = changed("table 0 1 2").unwrap();
        assert_eq!((rss.table[126], rss.table[127]), (0, 1));
        assert!(rss.lines().contains("\ntable 0 1 2\n"));
    }

    #[test]
    fn what_the_device_cannot_do_is_refused() {
        for line in ["table 4", "table ", "table x", "key 6d:5a", "hash tcp6", "hash all", "spread", ""] {
            let refused = Refused::UnknownLine { line: line.trim().to_owned(), known: LINES };
            let wanted = if line.is_empty() { Ok(LIMITS.initial()) } else { Err(refused) };
            assert_eq!(
                changed(&format!("table 1\n{line}")).map(|rss| Rss { table: LIMITS.initial().table, ..rss }),
                wanted
            );
        }
        let long = "key ".to_owned() + &["6d"; KEY + 1].join(":");
        assert!(changed(&long).is_err());
        assert!(changed(&("table".to_owned() + &" 1".repeat(129))).is_err());
    }
}
