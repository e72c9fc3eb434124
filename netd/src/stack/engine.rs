//! smoltcp's side of an interface, which its sockets take segments from and give segments to.

mod draw;

use smoltcp::iface::{self, Context, SocketSet};
use smoltcp::phy::{DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::HardwareAddress;

use super::packet::Packet;
use super::wire::{self, Wire};

/// An interface of smoltcp's for packets of a certain length.
pub struct Engine {
    interface: iface::Interface,
    capabilities: DeviceCapabilities,
}

impl Engine {
    /// For IP packets of up to `mtu` bytes. It takes packets for any address: which of them are ours is decided before.
    pub fn new(mtu: usize, seed: u64, now: Instant) -> Self {
        Self::with(wire::capabilities(Medium::Ip, mtu), seed, now)
    }

    /// The same for a driver that makes segments of longer packets.
    pub fn with_segments(mtu: usize, seed: u64, now: Instant) -> Self {
        Self::with(wire::capabilities_with_segments(mtu), seed, now)
    }

    fn with(capabilities: DeviceCapabilities, seed: u64, now: Instant) -> Self {
        let mut config = iface::Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut device =
            Wire { incoming: None, outgoing: &mut Vec::new(), room: 0, capabilities: &capabilities };
        let mut interface = iface::Interface::new(config, &mut device, now);
        interface.set_any_ip(true);
        Self { interface, capabilities }
    }

    /// For one connection that begins, whose initial sequence number is to be `number`: smoltcp, which has no call for it,
    /// draws it.
    pub fn for_sequence(mtu: usize, number: u32, now: Instant) -> Self {
        Self::new(mtu, draw::seed_of(number), now)
    }

    /// The longest packet, in bytes.
    pub fn mtu(&self) -> usize {
        self.capabilities.max_transmission_unit
    }

    /// For the calls of smoltcp's sockets.
    pub fn context(&mut self) -> &mut Context {
        self.interface.context()
    }

    /// Gives `packet`, whose TCP checksum is right, to the sockets in `set`; what they answer at once is returned.
    pub fn exchange(&mut self, packet: &[u8], set: &mut SocketSet<'static>, now: Instant) -> Vec<Packet> {
        let mut outgoing = Vec::new();
        let mut wire = Wire {
            incoming: Some(packet),
            outgoing: &mut outgoing,
            room: 0,
            capabilities: &self.capabilities,
        };
        self.interface.poll_ingress_single(now, &mut wire, set);
        outgoing
    }

    /// Lets each socket in `set` send one packet.
    pub fn egress(&mut self, set: &mut SocketSet<'static>, room: usize, now: Instant) -> Vec<Packet> {
        let mut outgoing = Vec::new();
        let mut wire =
            Wire { incoming: None, outgoing: &mut outgoing, room, capabilities: &self.capabilities };
        self.interface.poll_egress(now, &mut wire, set);
        outgoing
    }

    /// When the sockets in `set` want to send.
    pub fn poll_at(&mut self, set: &SocketSet<'static>, now: Instant) -> Option<Instant> {
        self.interface.poll_at(now, set)
    }
}
