//! How frames get from a transmit virtqueue to the wire.

use hw::fake::Bus;
use virtio_net::registers::Features;

use super::{Device, HEADER};
use crate::packets::filled_in;
use crate::wire::{Layout, cut, without_lengths};

impl<const PACKED: bool> Device<PACKED> {
    /// Sends what waits in virtqueue `number`.
    pub(super) fn transmit(&mut self, bus: &mut Bus, number: u16) {
        let mut elements = Vec::new();
        for chain in self.queues[usize::from(number)].available(bus) {
            match chain.read(bus) {
                Some(bytes) => {
                    let frames = self.finished(&bytes);
                    self.sent.extend(frames);
                }
                None => self.strays += 1,
            }
            elements.push((chain.id.into(), 0));
        }
        self.finish(bus, number, elements);
    }

    /// A frame, or its segments, as they leave (5.1.6.2).
    fn finished(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let (header, frame) = bytes.split_at(HEADER);
        if header == [0; HEADER] {
            return vec![frame.to_vec()];
        }
        assert!(self.has(Features::CSUM), "no offload was negotiated");
        assert_eq!((header[0], &header[10..]), (1, &[0; 2][..]));
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let segments = match header[1] {
            0 => {
                assert_eq!(header[2..6], [0; 4]);
                self.filled_in += 1;
                return vec![filled_in(frame, number(6), number(8))];
            }
            1 => Features::HOST_TSO4,
            4 => Features::HOST_TSO6,
            other => panic!("no such segments were negotiated: {other}"),
        };
        assert!(self.has(segments), "no segments were negotiated");
        self.cut += 1;
        let layout = Layout::of(frame, number(2), number(4));
        assert_eq!((layout.tcp, 16), (number(6), number(8)));
        cut(&without_lengths(frame, layout), layout)
    }
}
