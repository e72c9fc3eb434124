//! Packets in pieces (RFC 791 section 3.2, RFC 8200 section 4.5): put together and taken apart.

mod assembly;
mod split;

#[cfg(test)]
mod tests;

pub use self::split::{room, split};

use std::collections::HashMap;
use std::net::IpAddr;

use smoltcp::time::{Duration, Instant};

use self::assembly::{Assembly, Progress};
use super::routes::InterfaceId;

/// How long the pieces of a packet may take (RFC 1122 section 3.3.2, RFC 8200 section 4.5).
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that wait for their rest, of all senders.
const MEMORY: usize = 4 << 20;
/// Bytes of one sender: eight of the longest packets, so that nobody takes the others' share.
const SENDER_MEMORY: usize = 8 * 65_536;
/// Packets that wait for their rest.
const CAPACITY: usize = 512;

/// What all pieces of a packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where it came in.
    pub interface: InterfaceId,
    /// Its sender.
    pub source: IpAddr,
    /// Whom it is for.
    pub destination: IpAddr,
    /// Its identification.
    pub ident: u32,
    /// Its protocol, which IPv4's identification belongs to; 0 for IPv6.
    pub protocol: u8,
}

/// A fragment whose header was checked.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// Whom it comes from and goes to.
    pub source: IpAddr,
    /// Whom it is for.
    pub destination: IpAddr,
    /// The packet's identification.
    pub ident: u32,
    /// The packet's protocol, or the next header of IPv6.
    pub protocol: u8,
    /// What goes before the data of every piece: the header, without that of the fragment.
    pub header: &'a [u8],
    /// Where the header names what follows it.
    pub named_at: usize,
    /// Where `data` belongs, in bytes.
    pub offset: usize,
    /// Whether there is more behind it.
    pub more: bool,
    /// What follows the headers.
    pub data: &'a [u8],
}

impl Piece<'_> {
    fn key(&self, interface: InterfaceId) -> Key {
        let Self { source, destination, ident, protocol, .. } = *self;
        let protocol = if source.is_ipv4() { protocol } else { 0 };
        Key { interface, source, destination, ident, protocol }
    }
}

/// A packet whose time was over before all of it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Late {
    /// Where its pieces came in.
    pub interface: InterfaceId,
    /// Its first piece, which came.
    pub first: Vec<u8>,
}

/// All packets that wait for their rest.
#[derive(Debug, Default)]
pub struct Fragments {
    assemblies: HashMap<Key, Assembly>,
    /// Bytes that wait.
    size: usize,
    /// Those of each sender.
    senders: HashMap<IpAddr, usize>,
}

impl Fragments {
    /// Takes a piece; the packet, if it was the last one.
    pub fn add(&mut self, interface: InterfaceId, piece: &Piece<'_>, now: Instant) -> Option<Vec<u8>> {
        if piece.offset == 0 && !piece.more {
            // A whole packet with a fragment's header has nothing to do with any other (RFC 6946 section 4).
            return assembly::whole(piece);
        }
        let key = piece.key(interface);
        let mut assembly = match self.take(&key) {
            Some(known) => known,
            None => Assembly::new(now + PATIENCE),
        };
        let progress = assembly.add(piece);
        if let Progress::Whole(packet) = progress {
            return Some(packet);
        }
        self.size += assembly.size();
        *self.senders.entry(key.source).or_default() += assembly.size();
        self.assemblies.insert(key, assembly);
        self.make_room(key.source);
        None
    }

    /// The packets whose time is over.
    pub fn poll(&mut self, now: Instant) -> Vec<Late> {
        let over = self.assemblies.iter().filter(|(_, assembly)| assembly.deadline <= now);
        let over: Vec<_> = over.map(|(key, _)| *key).collect();
        let given_up = over.iter().filter_map(|key| Some((key.interface, self.take(key)?.into_first()?)));
        given_up.map(|(interface, first)| Late { interface, first }).collect()
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.assemblies.values().map(|assembly| assembly.deadline).min()
    }

    /// A sender who has too much loses his oldest packet; if all together have, the greatest of them does.
    fn make_room(&mut self, latest: IpAddr) {
        while self.senders.get(&latest).is_some_and(|own| *own > SENDER_MEMORY) {
            self.forget_oldest(latest);
        }
        while self.size > MEMORY || self.assemblies.len() > CAPACITY {
            let greatest = self.senders.iter().max_by_key(|(_, own)| **own).map(|(sender, _)| *sender);
            let Some(greatest) = greatest else { return };
            self.forget_oldest(greatest);
        }
    }

    fn forget_oldest(&mut self, sender: IpAddr) {
        let own = self.assemblies.iter().filter(|(key, _)| key.source == sender);
        let oldest = own.min_by_key(|(_, assembly)| assembly.deadline).map(|(key, _)| *key);
        match oldest {
            Some(oldest) => drop(self.take(&oldest)),
            None => drop(self.senders.remove(&sender)),
        }
    }

    fn take(&mut self, key: &Key) -> Option<Assembly> {
        let assembly = self.assemblies.remove(key)?;
        self.size -= assembly.size();
        if let Some(own) = self.senders.get_mut(&key.source) {
            *own -= assembly.size();
            if *own == 0 {
                self.senders.remove(&key.source);
            }
        }
        Some(assembly)
    }
}
