//! One packet whose pieces come in.

use std::collections::BTreeMap;

use smoltcp::time::Instant;
use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

use super::Piece;
use crate::stack::ipv6;

/// Pieces of one packet: over any link that IPv4 may use 65,535 bytes are fewer.
const MOST_PIECES: usize = 256;
/// What a packet, or a piece of it, costs beside its bytes.
const OVERHEAD: usize = 128;

/// What a piece brought.
pub enum Progress {
    /// There is more to come.
    Waiting,
    /// The packet.
    Whole(Vec<u8>),
}

/// The pieces of a packet.
#[derive(Debug)]
pub struct Assembly {
    /// When it is given up.
    pub deadline: Instant,
    pieces: BTreeMap<usize, Vec<u8>>,
    /// The first piece, as it came.
    first: Vec<u8>,
    /// The header of the packet, once that is known.
    header: Option<Vec<u8>>,
    /// The bytes behind the header, once they are known.
    length: Option<usize>,
    held: usize,
    /// Pieces contradicted each other: nothing of the packet is believed (RFC 5722 section 4, RFC 8200 section 4.5).
    is_spoilt: bool,
}

impl Assembly {
    /// Without a piece.
    pub fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            pieces: BTreeMap::new(),
            first: Vec::new(),
            header: None,
            length: None,
            held: 0,
            is_spoilt: false,
        }
    }

    /// Bytes that it costs.
    pub fn size(&self) -> usize {
        OVERHEAD * (1 + self.pieces.len()) + self.held + self.first.len()
    }

    /// The first piece, if it came.
    pub fn into_first(self) -> Option<Vec<u8>> {
        (!self.first.is_empty()).then_some(self.first)
    }

    /// Takes a piece.
    pub fn add(&mut self, piece: &Piece<'_>) -> Progress {
        if self.is_spoilt || self.is_known(piece) {
            return Progress::Waiting;
        }
        if self.contradicts(piece) || self.pieces.len() >= MOST_PIECES {
            self.spoil();
            return Progress::Waiting;
        }
        if piece.offset == 0 {
            self.first = piece.bytes.to_vec();
            self.header = Some(header(piece));
        }
        if !piece.more {
            self.length = Some(piece.offset + piece.data.len());
        }
        self.held += piece.data.len();
        self.pieces.insert(piece.offset, piece.data.to_vec());
        match (&self.header, self.length) {
            // Without overlaps and gaps all that is held is the packet.
            (Some(header), Some(length)) if self.held == length => {
                finish(header, self.pieces.values()).map_or(Progress::Waiting, Progress::Whole)
            }
            _ => Progress::Waiting,
        }
    }

    /// The network may double a packet: that is no contradiction.
    fn is_known(&self, piece: &Piece<'_>) -> bool {
        self.pieces.get(&piece.offset).is_some_and(|known| known == piece.data)
    }

    fn contradicts(&self, piece: &Piece<'_>) -> bool {
        let end = piece.offset + piece.data.len();
        let before = self.pieces.range(..=piece.offset).next_back();
        let overlaps_before = before.is_some_and(|(at, known)| at + known.len() > piece.offset);
        let overlaps_after = self.pieces.range(piece.offset..).next().is_some_and(|(at, _)| *at < end);
        let last = self.pieces.last_key_value().map_or(0, |(at, known)| at + known.len());
        let is_beyond = self.length.is_some_and(|length| end > length || !piece.more);
        let is_too_short = !piece.more && last > end;
        piece.data.is_empty() || overlaps_before || overlaps_after || is_beyond || is_too_short
    }

    /// Forgets what came, and what is still to come.
    fn spoil(&mut self) {
        *self = Self { is_spoilt: true, ..Self::new(self.deadline) };
    }
}

/// The packet of a piece that is all of it.
pub fn whole(piece: &Piece<'_>) -> Option<Vec<u8>> {
    finish(&header(piece), std::iter::once(piece.data))
}

/// The packet's header, as if it had never been in pieces.
fn header(piece: &Piece<'_>) -> Vec<u8> {
    let mut header = piece.header.to_vec();
    if let Some(named) = header.get_mut(piece.named_at) {
        *named = piece.protocol;
    }
    header
}

/// Puts the data behind the header, whose length is set; `None` if that is more than a packet can have.
fn finish(header: &[u8], data: impl Iterator<Item = impl AsRef<[u8]>>) -> Option<Vec<u8>> {
    let mut packet = header.to_vec();
    data.for_each(|data| packet.extend_from_slice(data.as_ref()));
    match packet.first()? >> 4 {
        4 => {
            let length = u16::try_from(packet.len()).ok()?;
            let mut header = Ipv4Packet::new_unchecked(&mut packet);
            header.set_total_len(length);
            header.clear_flags();
            header.set_frag_offset(0);
            header.fill_checksum();
        }
        _ => {
            let length = u16::try_from(packet.len().checked_sub(ipv6::HEADER)?).ok()?;
            Ipv6Packet::new_unchecked(&mut packet).set_payload_len(length);
        }
    }
    Some(packet)
}
