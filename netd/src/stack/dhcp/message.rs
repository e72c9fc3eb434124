//! DHCP messages as they travel (RFC 2131 section 2).

use std::net::Ipv4Addr;

use smoltcp::wire::EthernetAddress;

use super::options::{Code, Options};

/// `op`: from a client.
const BOOTREQUEST: u8 = 1;
/// `op`: from a server.
const BOOTREPLY: u8 = 2;
/// `htype`: Ethernet (RFC 1700).
const ETHERNET: u8 = 1;
/// `hlen`: an Ethernet address's bytes.
const HARDWARE_LENGTH: u8 = 6;
/// What the options begin with (RFC 2131 section 3).
const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Where the options begin.
const OPTIONS: usize = 240;
/// BOOTP's length: old relays drop what is shorter (RFC 1542 section 2.1).
const SHORTEST: usize = 300;

/// What a message is about (RFC 2132 section 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Who has addresses?
    Discover = 1,
    /// You may have this one.
    Offer = 2,
    /// I want this one.
    Request = 3,
    /// Somebody has it already.
    Decline = 4,
    /// It is yours.
    Ack = 5,
    /// It is not.
    Nak = 6,
    /// I need it no more.
    Release = 7,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        [Self::Discover, Self::Offer, Self::Request, Self::Decline, Self::Ack, Self::Nak, Self::Release]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: Kind,
    /// `xid`: tells the answers to one client's questions apart.
    pub transaction: u32,
    /// `secs`: for how long the client has looked for an address.
    pub seconds: u16,
    /// `ciaddr`: the client's address, if it can be reached there.
    pub client: Ipv4Addr,
    /// `yiaddr`: the address that the client may have.
    pub yours: Ipv4Addr,
    /// `chaddr`.
    pub hardware: EthernetAddress,
    /// Everything else.
    pub options: Options,
}

impl Message {
    /// Takes a message apart that a server sent. `None` if it is not one for Ethernet, or malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let fixed = bytes.first_chunk::<OPTIONS>()?;
        if fixed[..3] != [BOOTREPLY, ETHERNET, HARDWARE_LENGTH] || fixed[236..] != MAGIC_COOKIE {
            return None;
        }
        let options = Options::parse(bytes.get(OPTIONS..)?, &fixed[108..236], &fixed[44..108])?;
        let &[kind] = options.get(Code::DhcpMessageType)? else { return None };
        let word = |at: usize| [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
        Some(Self {
            kind: Kind::of(kind)?,
            transaction: u32::from_be_bytes(word(4)),
            seconds: u16::from_be_bytes([fixed[8], fixed[9]]),
            client: word(12).into(),
            yours: word(16).into(),
            hardware: EthernetAddress::from_bytes(&fixed[28..34]),
            options,
        })
    }

    /// The message of a client.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![0; OPTIONS];
        bytes[..3].copy_from_slice(&[BOOTREQUEST, ETHERNET, HARDWARE_LENGTH]);
        bytes[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.seconds.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.client.octets());
        bytes[28..34].copy_from_slice(self.hardware.as_bytes());
        bytes[236..].copy_from_slice(&MAGIC_COOKIE);
        self.options.emit(&mut bytes);
        bytes.resize(bytes.len().max(SHORTEST), 0);
        bytes
    }
}
