//! Advanced contexts, from the device's side.

use super::context::Context;
use crate::wire::Layout;

/// What a transmit descriptor says if it is a context (82576, 7.2.2.2; 82599, 7.2.3.2.3).
pub fn context([lengths, word]: [u64; 2]) -> Option<Context> {
    let ip = (lengths >> 9 & 0x7f) as usize;
    let start = ip + (lengths & 0x1ff) as usize;
    let offset = if word & 1 << 11 != 0 { 16 } else { 6 };
    let [.., header, low, high] = word.to_le_bytes();
    let size = u16::from_le_bytes([low, high]).into();
    let segments = Layout { ip, tcp: start, header: start + usize::from(header), size };
    (word >> 20 & 0x20f == 0x202).then_some(Context { start, offset, segments })
}

/// The tag that it tells.
pub fn tag([lengths, _]: [u64; 2]) -> u16 {
    (lengths >> 16) as u16
}
