//! How a frame from the wire gets into a receive virtqueue.

use hw::fake::Bus;
use virtio_net::registers::{Features, virtqueue};

use super::virtqueue::Chain;
use super::{Device, HEADER};
use crate::packets::verdict;
use crate::wire::{Layout, cut, without_lengths};

impl<const PACKED: bool> Device<PACKED> {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        // VIRTIO_NET_HDR_F_DATA_VALID.
        let is_good = self.has(Features::GUEST_CSUM) && verdict(frame) == Some(true);
        let mut header = [0; HEADER];
        header[0] = if is_good { 2 } else { 0 };
        header[6..HEADER - 2].copy_from_slice(&self.partial_at);
        self.hand_over(bus, header, frame);
    }

    /// A frame that is several segments, behind its header, comes from another machine beside this one, or in segments if the
    /// driver has none joined. As Linux does, it says no more of where the data begin than that they do so in the frame.
    pub fn arrive_joined(&mut self, bus: &mut Bus, joined: &[u8]) {
        let (header, frame) = joined.split_first_chunk::<HEADER>().expect("it has a header");
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let feature = if header[1] == 1 { Features::GUEST_TSO4 } else { Features::GUEST_TSO6 };
        if self.has(feature) {
            let mut header = *header;
            header[2..4].copy_from_slice(&(frame.len() as u16).to_le_bytes());
            return self.hand_over(bus, header, frame);
        }
        let layout = Layout::of(frame, number(2), number(4));
        for segment in cut(&without_lengths(frame, layout), layout) {
            self.arrive(bus, &segment);
        }
    }

    fn hand_over(&mut self, bus: &mut Bus, mut header: [u8; HEADER], frame: &[u8]) {
        if self.is_quiet() || !self.link_up || !self.accepts(frame) {
            return;
        }
        let mergeable = self.has(Features::MRG_RXBUF);
        let number = virtqueue::receive(self.spread.pair(frame));
        let mut chains = self.queues[usize::from(number)].available(bus).into_iter();
        let length = HEADER + frame.len();
        let mut used: Vec<Chain> = Vec::new();
        while used.iter().map(Chain::room).sum::<usize>() < length {
            match chains.next() {
                Some(chain) if mergeable || used.is_empty() => used.push(chain),
                _ => return,
            }
        }
        if let Some(begin) = self.faults.header {
            header[..2].copy_from_slice(&begin);
        }
        let num_buffers = self.faults.num_buffers.unwrap_or(used.len() as u16);
        header[10..].copy_from_slice(&num_buffers.to_le_bytes());
        let bytes = [&header, frame].concat();
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
