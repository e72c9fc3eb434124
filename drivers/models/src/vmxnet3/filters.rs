//! Which frames from the wire are for the driver.

use nic::frame::is_tagged;
use vmxnet3::registers::RxMode;

use super::Vmxnet3;

impl Vmxnet3 {
    /// Whether the filters let a frame through.
    pub(super) fn accepts(&self, frame: &[u8]) -> bool {
        let mode = RxMode::from_bits_retain(self.shared.filter.rx_mode.get());
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            _ if mode.contains(RxMode::PROMISC) => true,
            _ if !self.accepts_vlan(frame) => false,
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => mode.contains(RxMode::BCAST),
            [first, ..] if first & 1 != 0 => {
                let listed = self.groups.chunks(6).any(|group| group == destination);
                mode.contains(RxMode::ALL_MULTI) || mode.contains(RxMode::MCAST) && listed
            }
            _ => mode.contains(RxMode::UCAST) && destination == self.address,
        }
    }

    /// Frames without a tag are of VLAN 0.
    fn accepts_vlan(&self, frame: &[u8]) -> bool {
        let tag = if is_tagged(frame) { [frame[14] & 0xf, frame[15]] } else { [0; 2] };
        let number = u16::from_be_bytes(tag);
        self.shared.filter.vf_table[usize::from(number / 32)].get() >> (number % 32) & 1 != 0
    }
}
