//! The control virtqueue, and its commands.

use hw::fake::Bus;
use virtio_net::registers::{Features, command, virtqueue};

use super::Device;
use super::spread::Spread;

impl<const PACKED: bool> Device<PACKED> {
    /// The control virtqueue (5.1.2).
    pub fn control(&self) -> u16 {
        let several = self.has(Features::MQ) || self.has(Features::RSS);
        virtqueue::control(if several { self.pairs } else { 1 })
    }

    /// Carries out the commands that wait.
    pub(super) fn obey(&mut self, bus: &mut Bus) {
        let mut elements = Vec::new();
        for chain in self.queues[usize::from(self.control())].available(bus) {
            let bytes = chain.read(bus).unwrap_or_default();
            let ack = if self.carry_out(&bytes) { 0 } else { 1 };
            self.strays += usize::from(!chain.write(bus, &[ack]));
            elements.push((chain.id.into(), 1));
        }
        self.finish(bus, self.control(), elements);
    }

    /// 5.1.6.5.
    fn carry_out(&mut self, bytes: &[u8]) -> bool {
        let Some((&command, arguments)) = bytes.split_first_chunk::<2>() else { return false };
        match (command, arguments) {
            (command::RX_PROMISC, [on]) => self.promiscuous = *on != 0,
            (command::RX_ALLMULTI, [on]) => self.all_multicast = *on != 0,
            (command::MAC_ADDR_SET, &[a, b, c, d, e, f]) => self.mac = [a, b, c, d, e, f],
            (command::MAC_TABLE_SET, [0, 0, 0, 0, low, high, 0, 0, groups @ ..]) => {
                let count = usize::from(u16::from_le_bytes([*low, *high]));
                self.groups = groups.as_chunks().0.iter().copied().collect();
                return groups.len() == 6 * count;
            }
            (command::VLAN_ADD, &[low, high]) if self.has(Features::CTRL_VLAN) => {
                self.vlans.insert(u16::from_le_bytes([low, high]));
            }
            (command::VLAN_DEL, &[low, high]) if self.has(Features::CTRL_VLAN) => {
                self.vlans.remove(&u16::from_le_bytes([low, high]));
            }
            (command::MQ_VQ_PAIRS_SET, &[low, high]) if self.has(Features::MQ) => {
                self.spread = Spread::AsItLikes(u16::from_le_bytes([low, high]));
            }
            (command::MQ_RSS_CONFIG, configuration) if self.has(Features::RSS) => {
                self.spread = Spread::rss(configuration);
            }
            (command::COAL_RX_SET, [_, _, _, _, delay @ ..]) if self.has(Features::NOTF_COAL) => {
                self.delays.receive = u32::from_le_bytes(delay.try_into().unwrap_or_default());
            }
            (command::COAL_TX_SET, [_, _, _, _, delay @ ..]) if self.has(Features::NOTF_COAL) => {
                self.delays.transmit = u32::from_le_bytes(delay.try_into().unwrap_or_default());
            }
            _ => return false,
        }
        true
    }
}
