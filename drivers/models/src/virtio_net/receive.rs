//! How a frame from the wire gets into a receive virtqueue.

use hw::fake::Bus;
use virtio_net::registers::{Features, virtqueue};

use super::virtqueue::Chain;
use super::{Device, HEADER};
use crate::packets::verdict;

impl<const PACKED: bool> Device<PACKED> {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        if self.is_quiet() || !self.link_up || !self.accepts(frame) {
            return;
        }
        let mergeable = self.has(Features::MRG_RXBUF);
        let number = virtqueue::receive(self.spread.pair(frame));
        let mut chains = self.queues[usize::from(number)].available(bus).into_iter();
        let mut bytes = [&[0; HEADER], frame].concat();
        let mut used: Vec<Chain> = Vec::new();
        while used.iter().map(Chain::room).sum::<usize>() < bytes.len() {
            match chains.next() {
                Some(chain) if mergeable || used.is_empty() => used.push(chain),
                _ => return,
            }
        }
        if self.has(Features::GUEST_CSUM) {
            // VIRTIO_NET_HDR_F_DATA_VALID.
            bytes[0] = if verdict(frame) == Some(true) { 2 } else { 0 };
        }
        if let Some(begin) = self.faults.header {
            bytes[..2].copy_from_slice(&begin);
        }
        bytes[6..HEADER - 2].copy_from_slice(&self.partial_at);
        let num_buffers = self.faults.num_buffers.unwrap_or(used.len() as u16);
        bytes[10..HEADER].copy_from_slice(&num_buffers.to_le_bytes());
        let mut rest = bytes.as_slice();
        let mut elements = Vec::new();
        for chain in used {
            let (piece, more) = rest.split_at(rest.len().min(chain.room()));
            self.strays += usize::from(!chain.write(bus, piece));
            elements.push((u32::from(chain.id), piece.len() as u32));
            rest = more;
        }
        self.finish(bus, number, elements);
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let Some(&destination) = frame.first_chunk::<6>() else { return false };
        let vlan = nic::frame::is_tagged(frame).then(|| u16::from_be_bytes([frame[14], frame[15]]) & 0xfff);
        match destination {
            _ if self.promiscuous => true,
            _ if self.has(Features::CTRL_VLAN) && vlan.is_some_and(|vlan| !self.vlans.contains(&vlan)) => {
                false
            }
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => true,
            [first, ..] if first & 1 != 0 => self.all_multicast || self.groups.contains(&destination),
            own => own == self.mac,
        }
    }
}
