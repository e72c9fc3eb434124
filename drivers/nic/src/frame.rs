//! Ethernet frames in DMA buffers, and what is known of them.

use std::collections::VecDeque;

use scheme::{checksum, vlan, vnet};

use crate::buffer::{Buffer, CAPACITY, Pool};
use crate::mac::MacAddress;
use crate::segments::{self, Cut};

pub use scheme::vlan::is_tagged;
pub use scheme::vnet::{Checksum, Form, Segments};

/// Destination, source and type: no frame is shorter.
pub const HEADER: usize = 14;

/// What a frame is padded to (IEEE 802.3, 64 bytes less the FCS).
pub const MINIMUM: usize = 60;

/// An 802.1Q tag.
pub const VLAN_TAG: usize = vlan::TAG;

/// Destination and source, behind which a tag stands.
const ADDRESSES: usize = 12;

/// The headers of Ethernet, a tag, IPv4 with all its options, and TCP with all of its own.
const MOST_HEADERS: usize = HEADER + VLAN_TAG + 60 + 60;

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// This station.
    Host,
    /// All stations.
    Broadcast,
    /// A group of stations.
    Multicast,
    /// Another station.
    #[default]
    Other,
}

/// What is known of a frame without looking at its payload, and what is left to be done for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The IP header's checksum.
    pub ip_checksum: Checksum,
    /// The TCP or UDP checksum.
    pub transport_checksum: Checksum,
    /// It is several segments of TCP.
    pub segments: Option<Segments>,
    /// The control information of the 802.1Q tag that the frame has on the wire, and not in its bytes.
    pub vlan: Option<u16>,
    /// Whom it is for.
    pub class: Class,
    /// The queue that it was received by.
    pub queue: u8,
}

impl Metadata {
    /// A frame to send is as it shall leave: no checksum is to be filled in, no segments to be made, no tag to be inserted.
    pub fn is_ready(&self) -> bool {
        // Segments have checksums.
        !matches!(self.transport_checksum, Checksum::Partial { .. }) && self.vlan.is_none()
    }

    /// What the device says of the checksum is not to be used. One that has to be filled in has to be even so.
    pub fn disregard_checksum(&mut self) {
        if !matches!(self.transport_checksum, Checksum::Partial { .. }) {
            self.transport_checksum = Checksum::Unknown;
        }
    }
}

/// The buffers behind the first. Frames are moved often, and most have none: so they stand elsewhere.
#[derive(Default)]
struct Rest(Vec<Buffer>);

impl Drop for Rest {
    /// Apart from the frame's, as few have buffers here.
    #[cold]
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// A frame without its FCS: one buffer, or a chain of them if it is long.
pub struct Frame {
    first: Buffer,
    rest: Option<Box<Rest>>,
    /// What is known of it.
    pub metadata: Metadata,
}

impl Frame {
    /// The frame that begins in `first`.
    pub fn new(first: Buffer) -> Self {
        Self::known(first, Metadata::default())
    }

    /// The frame that is in `buffer`, and what is known of it.
    pub fn known(buffer: Buffer, metadata: Metadata) -> Self {
        Self { first: buffer, rest: None, metadata }
    }

    /// Continues the frame in `next`.
    pub fn push(&mut self, next: Buffer) {
        self.rest.get_or_insert_default().0.push(next);
    }

    /// Copies `bytes` into buffers of `pool`, padded with zeros to [`MINIMUM`]; `None` if there are too few.
    pub fn from_bytes(pool: &Pool, bytes: &[u8]) -> Option<Self> {
        const PADDING: [u8; MINIMUM] = [0; MINIMUM];
        if pool.free() < Self::buffers_for(bytes.len()) {
            return None;
        }
        let mut pieces = bytes.chunks(CAPACITY);
        let mut first = pool.take()?;
        first.append(pieces.next().unwrap_or_default());
        first.append(&PADDING[first.len().min(MINIMUM)..]);
        let mut frame = Self::new(first);
        for piece in pieces {
            let mut next = pool.take()?;
            next.append(piece);
            frame.push(next);
        }
        Some(frame)
    }

    /// How many buffers a frame of `len` bytes takes.
    pub fn buffers_for(len: usize) -> usize {
        len.div_ceil(CAPACITY).max(1)
    }

    /// Puts a header of the device's own before the frame; `false` where there is no room for it.
    #[must_use]
    pub fn prepend(&mut self, header: &[u8]) -> bool {
        self.first.prepend(header)
    }

    /// Takes a header of `count` bytes off again; `false` where there is none.
    #[must_use]
    pub fn strip(&mut self, count: usize) -> bool {
        self.first.strip(count)
    }

    /// Of one that is several segments: takes the packet's length out of its headers, and all that comes of it, for a
    /// device that puts each segment's there.
    pub fn leave_lengths_out(&mut self) {
        let Some(Segments { is_ipv6, header, .. }) = self.metadata.segments else { return };
        let mut headers = vec![0; header.into()];
        let known = self.first.copy_to(0, &mut headers);
        headers.truncate(known);
        segments::leave_lengths_out(&mut headers, is_ipv6);
        self.first.overwrite(&headers);
    }

    /// Its buffers, in order.
    pub fn buffers(&self) -> impl Iterator<Item = &Buffer> {
        std::iter::once(&self.first).chain(self.rest())
    }

    /// The first of them, which most frames have alone.
    pub fn first(&self) -> &Buffer {
        &self.first
    }

    /// Those behind it.
    pub fn rest(&self) -> &[Buffer] {
        self.rest.as_ref().map_or(&[], |rest| &rest.0)
    }

    /// How many buffers it takes.
    pub fn buffer_count(&self) -> usize {
        1 + self.rest().len()
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.first.len() + self.rest().iter().map(Buffer::len).sum::<usize>()
    }

    /// It has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cuts it to its first `len` bytes, if it has more.
    pub fn truncate(&mut self, len: usize) {
        let mut left = len;
        let rest = self.rest.iter_mut().flat_map(|rest| &mut rest.0);
        for buffer in std::iter::once(&mut self.first).chain(rest) {
            let kept = buffer.len().min(left);
            left -= kept;
            // Fewer bytes always fit.
            let _ = buffer.set_len(kept);
        }
        if let Some(rest) = &mut self.rest {
            rest.0.retain(|buffer| !buffer.is_empty());
        }
    }

    /// How many bytes its readers get in this form.
    pub fn length(&self, form: Form) -> usize {
        form.header() + self.len() + if form == Form::Plain { self.tag_size() } else { 0 }
    }

    /// How many frames it is on the wire, and their bytes, without FCS.
    pub fn on_the_wire(&self) -> (u64, u64) {
        let len = self.length(Form::Plain) as u64;
        let Some(Segments { size, header, .. }) = self.metadata.segments else { return (1, len) };
        let header = u64::from(header) + self.tag_size() as u64;
        let count = len.saturating_sub(header).div_ceil(u64::from(size.max(1))).max(1);
        (count, len + (count - 1) * header)
    }

    /// Says that a received frame was several segments, with `size` bytes of data in each but the last. `false`, with nothing
    /// said, if it cannot have been.
    #[must_use]
    pub fn was_several(&mut self, is_ipv6: bool, size: u16) -> bool {
        let mut headers = [0; MOST_HEADERS];
        let known = self.first.copy_to(0, &mut headers);
        let headers = headers.get(..known).unwrap_or_default();
        self.metadata.segments = segments::received(headers, is_ipv6, size);
        self.metadata.segments.is_some()
    }

    /// The same of one that the device has joined from `count` segments whose checksums it has found good. Where it does not say
    /// their size (0), they are as long as one another. Its checksum is left to be filled in, as those of the segments are.
    #[must_use]
    pub fn was_joined(&mut self, is_ipv6: bool, count: u8, size: u16) -> bool {
        if !self.was_several(is_ipv6, size.max(1)) {
            return false;
        }
        let len = self.len();
        let Some(segments) = &mut self.metadata.segments else { return false };
        if size == 0 {
            let data = len.saturating_sub(segments.header.into());
            segments.size = data.div_ceil(usize::from(count.max(1))).clamp(1, u16::MAX.into()) as u16;
        }
        let mut headers = vec![0; segments.header.into()];
        let known = self.first.copy_to(0, &mut headers);
        headers.truncate(known);
        if let Some(checksum) = segments::leave_checksum_out(&mut headers, is_ipv6, len) {
            self.first.overwrite(&headers);
            self.metadata.transport_checksum = checksum;
        }
        true
    }

    /// The frames that it is on the wire, where it is several.
    pub fn parts(&self) -> Option<VecDeque<Vec<u8>>> {
        let Metadata { transport_checksum: checksum, segments, vlan, .. } = self.metadata;
        let segments = segments?;
        let mut whole = vec![0; self.len()];
        self.copy_to(&mut whole);
        let finished = |mut part: Vec<u8>| {
            finish(&mut part, checksum, vlan);
            part.resize(part.len().max(MINIMUM), 0);
            part
        };
        Some(Cut::new(&whole, segments, checksum).ok()?.segments().map(finished).collect())
    }

    /// Copies it into `buf` as its readers want it, as much as fits; how much that was.
    pub fn read(&self, buf: &mut [u8], form: Form) -> usize {
        let Metadata { transport_checksum: checksum, vlan, .. } = self.metadata;
        match (form, checksum) {
            (Form::Vnet, checksum) => {
                let header = vnet::Header { checksum, segments: self.metadata.segments, vlan }.bytes();
                let (first, rest) = buf.split_at_mut(header.len().min(buf.len()));
                first.iter_mut().zip(header).for_each(|(to, from)| *to = from);
                first.len() + self.copy_to(rest)
            }
            (Form::Plain, Checksum::Partial { .. }) => self.copy_finished(buf),
            (Form::Plain, _) if vlan.is_some() => self.copy_finished(buf),
            (Form::Plain, _) => self.copy_to(buf),
        }
    }

    /// Copies it into `buf` as it is on the wire, as much as fits; how much that was.
    fn copy_finished(&self, buf: &mut [u8]) -> usize {
        let mut whole = vec![0; self.len()];
        self.copy_to(&mut whole);
        finish(&mut whole, self.metadata.transport_checksum, self.metadata.vlan);
        buf.iter_mut().zip(&whole).for_each(|(to, from)| *to = *from);
        whole.len().min(buf.len())
    }

    fn tag_size(&self) -> usize {
        if self.metadata.vlan.is_some() { VLAN_TAG } else { 0 }
    }

    /// Puts the tag that is not in its bytes into them.
    pub fn put_tag_in(&mut self) {
        let Some(control) = self.metadata.vlan else { return };
        let mut header = [0; ADDRESSES + VLAN_TAG];
        let (addresses, tag) = header.split_at_mut(ADDRESSES);
        tag.copy_from_slice(&vlan::tag(control));
        // What is taken off makes room for what is put before.
        if self.first.copy_to(0, addresses) == ADDRESSES
            && self.first.strip(ADDRESSES)
            && self.first.prepend(&header)
        {
            self.metadata.vlan = None;
            if let Checksum::Partial { start, .. } = &mut self.metadata.transport_checksum {
                *start = start.saturating_add(VLAN_TAG as u16);
            }
            if let Some(segments) = &mut self.metadata.segments {
                segments.header = segments.header.saturating_add(VLAN_TAG as u16);
            }
        }
    }

    /// Copies its bytes into `buf`, as much as fits; how much that was.
    pub fn copy_to(&self, buf: &mut [u8]) -> usize {
        let mut done = 0;
        for buffer in self.buffers() {
            done += buffer.copy_to(0, &mut buf[done..]);
        }
        done
    }

    /// Fills in the class from the frame's destination; `own` is this station's address.
    pub fn classify(&mut self, own: MacAddress) {
        let mut destination = [0; 6];
        self.first.copy_to(0, &mut destination);
        self.metadata.class = match MacAddress(destination) {
            MacAddress::BROADCAST => Class::Broadcast,
            group if group.is_multicast() => Class::Multicast,
            host if host == own => Class::Host,
            _ => Class::Other,
        };
    }
}

/// Does what is left to be done for the bytes of a frame.
fn finish(bytes: &mut Vec<u8>, checksum: Checksum, tag: Option<u16>) {
    if let Checksum::Partial { start, offset } = checksum {
        checksum::complete(bytes, start, offset);
    }
    if let Some(control) = tag {
        vlan::insert(bytes, control);
    }
}
