//! The device that smoltcp sees: at most one packet in, and what it answers or sends out.

use std::num::NonZeroUsize;

use scheme::vnet;
use smoltcp::phy::{self, Checksum, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::TCP_HEADER_LEN;

use super::packet::Packet;
use super::{ipv4, ipv6};

/// Room that every outgoing packet has before its IP header, so that a frame is made in place.
pub const HEADROOM: usize = smoltcp::wire::ETHERNET_HEADER_LEN;

/// One exchange with smoltcp.
pub struct Wire<'a> {
    /// The packet to be received, if any.
    pub incoming: Option<&'a [u8]>,
    /// Takes what smoltcp sends. With [`Medium::Ip`] each packet follows [`HEADROOM`] bytes.
    pub outgoing: &'a mut Vec<Packet>,
    /// How many packets may be sent without an incoming one.
    pub room: usize,
    /// What the interface is.
    pub capabilities: &'a DeviceCapabilities,
}

/// What an interface can do. `mtu` is that of the IP packet, in bytes.
pub fn capabilities(medium: Medium, mtu: usize) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = medium;
    capabilities.max_transmission_unit = match medium {
        Medium::Ethernet => mtu + HEADROOM,
        Medium::Ip => mtu,
    };
    // What comes in was checked before, and what goes out is finished later.
    capabilities.checksum.ipv4 = Checksum::Tx;
    capabilities.checksum.tcp = Checksum::None;
    capabilities
}

/// What an interface can do with an `mtu` and a driver that makes segments of longer packets of TCP. So that all are full,
/// those of the interface's own length fit into the longest.
///
/// smoltcp drops over IPv6 what is longer than the MTU that it knows, whoever makes segments of it, and so it is told of a
/// longer one.
pub fn capabilities_with_segments(mtu: usize) -> DeviceCapabilities {
    const LONGEST: usize = vnet::LONGEST - HEADROOM;
    let longest = |header: usize| {
        let segment = mtu.saturating_sub(header).max(1);
        NonZeroUsize::new(header + (LONGEST - header) / segment * segment)
    };
    let mut capabilities = capabilities(Medium::Ip, LONGEST);
    capabilities.segmentation.tcpv4 = longest(ipv4::HEADER + TCP_HEADER_LEN);
    capabilities.segmentation.tcpv6 = longest(ipv6::HEADER + TCP_HEADER_LEN);
    capabilities
}

impl phy::Device for Wire<'_> {
    type RxToken<'t>
        = RxToken<'t>
    where
        Self: 't;
    type TxToken<'t>
        = TxToken<'t>
    where
        Self: 't;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken<'_>, TxToken<'_>)> {
        let packet = self.incoming.take()?;
        Some((
            RxToken(packet),
            TxToken { outgoing: self.outgoing, headroom: headroom(self.capabilities.medium) },
        ))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_>> {
        self.room = self.room.checked_sub(1)?;
        Some(TxToken { outgoing: self.outgoing, headroom: headroom(self.capabilities.medium) })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

fn headroom(medium: Medium) -> usize {
    match medium {
        Medium::Ethernet => 0,
        Medium::Ip => HEADROOM,
    }
}

/// The incoming packet.
pub struct RxToken<'a>(&'a [u8]);

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for one outgoing packet.
pub struct TxToken<'a> {
    outgoing: &'a mut Vec<Packet>,
    headroom: usize,
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut bytes = vec![0; self.headroom + len];
        let result = f(&mut bytes[self.headroom..]);
        self.outgoing.push(Packet::unfinished(bytes));
        result
    }
}
