//! Captured packets as files in the format pcapng (draft-ietf-opsawg-pcapng), which Wireshark and tshark read.

mod queue;

pub use queue::{Captured, Queue};

/// How captured packets begin: tcpdump.org's `LINKTYPE_` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum LinkType {
    /// With an Ethernet header.
    Ethernet = 1,
    /// With an IP header.
    Raw = 101,
}

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the link.
    Received,
    /// To the link.
    Sent,
}

/// The file of one who looks on: what is read of it is what its [`Queue`] gave.
#[derive(Debug)]
pub struct Stream {
    /// What did not fit into the last read.
    rest: Vec<u8>,
    /// The losses that were told of.
    told: u64,
}

impl Stream {
    /// The file of packets of the interface `name`, which the server `application` writes.
    pub fn new(application: &str, name: &str, link: LinkType) -> Self {
        Self { rest: header(application, name, link), told: 0 }
    }

    /// Whether there is something to be read, whatever is in the queue.
    pub fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Takes packets out of `queue` until there is enough to fill `room`. Losses are told of once no packet is left, as
    /// of `now`. The queue's times count from `epoch`; all of them are microseconds, the latter after 1970-01-01.
    pub fn fill(&mut self, queue: &mut Queue, room: usize, epoch: u64, now: u64) {
        while self.rest.len() < room {
            let Some(captured) = queue.take() else { break };
            self.rest.extend(packet(&captured, epoch.saturating_add(captured.at)));
        }
        if queue.is_empty() && queue.lost() > self.told {
            self.told = queue.lost();
            self.rest.extend(statistics(queue.taken(), queue.lost(), epoch.saturating_add(now)));
        }
    }

    /// Reads what was filled in.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = self.rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.rest.drain(..count)) {
            *to = from;
        }
        count
    }
}

/// Blocks' types (section 11.1).
mod block {
    pub const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub const INTERFACE_DESCRIPTION: u32 = 1;
    pub const INTERFACE_STATISTICS: u32 = 5;
    pub const ENHANCED_PACKET: u32 = 6;
}

/// Options' codes, each of its own block.
mod option {
    pub const END: u16 = 0;
    pub const SHB_USERAPPL: u16 = 4;
    pub const IF_NAME: u16 = 2;
    pub const EPB_FLAGS: u16 = 2;
    pub const EPB_DROPCOUNT: u16 = 4;
    pub const ISB_IFDROP: u16 = 5;
    pub const ISB_FILTERACCEPT: u16 = 6;
}

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// What comes first: one section, with the one interface `name`.
fn header(application: &str, name: &str, link: LinkType) -> Vec<u8> {
    let mut section = Vec::new();
    section.extend(BYTE_ORDER_MAGIC.to_ne_bytes());
    section.extend(1_u16.to_ne_bytes());
    section.extend(0_u16.to_ne_bytes());
    // The section's length is not known.
    section.extend((-1_i64).to_ne_bytes());
    push_option(&mut section, option::SHB_USERAPPL, application.as_bytes());
    push_option(&mut section, option::END, b"");

    let mut interface = Vec::new();
    interface.extend((link as u16).to_ne_bytes());
    interface.extend(0_u16.to_ne_bytes());
    // Packets are captured whole.
    interface.extend(0_u32.to_ne_bytes());
    push_option(&mut interface, option::IF_NAME, name.as_bytes());
    push_option(&mut interface, option::END, b"");

    let mut bytes = Vec::new();
    push_block(&mut bytes, block::SECTION_HEADER, &section);
    push_block(&mut bytes, block::INTERFACE_DESCRIPTION, &interface);
    bytes
}

/// A packet that went by at `micros` after 1970-01-01.
fn packet(captured: &Captured, micros: u64) -> Vec<u8> {
    let length = u32::try_from(captured.bytes.len()).unwrap_or(u32::MAX);
    let mut body = Vec::new();
    body.extend(0_u32.to_ne_bytes());
    push_time(&mut body, micros);
    body.extend(length.to_ne_bytes());
    body.extend(length.to_ne_bytes());
    body.extend(&captured.bytes);
    pad(&mut body);
    let flags: u32 = match captured.direction {
        Direction::Received => 1,
        Direction::Sent => 2,
    };
    push_option(&mut body, option::EPB_FLAGS, &flags.to_ne_bytes());
    if captured.lost > 0 {
        push_option(&mut body, option::EPB_DROPCOUNT, &captured.lost.to_ne_bytes());
    }
    push_option(&mut body, option::END, b"");
    let mut bytes = Vec::new();
    push_block(&mut bytes, block::ENHANCED_PACKET, &body);
    bytes
}

/// How many packets the filter has taken up to `micros`, and how many of them were lost.
fn statistics(taken: u64, lost: u64, micros: u64) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0_u32.to_ne_bytes());
    push_time(&mut body, micros);
    push_option(&mut body, option::ISB_IFDROP, &lost.to_ne_bytes());
    push_option(&mut body, option::ISB_FILTERACCEPT, &taken.to_ne_bytes());
    push_option(&mut body, option::END, b"");
    let mut bytes = Vec::new();
    push_block(&mut bytes, block::INTERFACE_STATISTICS, &body);
    bytes
}

/// The upper half first, in either byte order.
fn push_time(body: &mut Vec<u8>, micros: u64) {
    for half in [micros >> 32, micros & u64::from(u32::MAX)] {
        body.extend((half as u32).to_ne_bytes());
    }
}

/// Our options are short.
fn push_option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = value.len().min(255);
    body.extend(code.to_ne_bytes());
    body.extend((length as u16).to_ne_bytes());
    body.extend(value.iter().take(length));
    pad(body);
}

fn push_block(bytes: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() as u32 + 12).to_ne_bytes();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(length);
    bytes.extend(body);
    bytes.extend(length);
}

/// To a multiple of 32 bits.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}
