//! Extended contexts, from the device's side.

use super::context::Context;
use crate::wire::Layout;

/// What a transmit descriptor says if it is a context: IPCSS, IPCSO, IPCSE, TUCSS, TUCSO; PAYLEN, DTYP, TUCMD, HDRLEN, MSS
/// (8254x SDM, 3.3.6; 82574, 7.2.11).
pub fn context([places, word]: [u64; 2]) -> Option<Context> {
    let [ip, ip_checksum, ip_end, _, start, place, _, _] = places.to_le_bytes().map(usize::from);
    let [.., header, low, high] = word.to_le_bytes();
    if word >> 20 & 0x20f != 0x200 {
        return None;
    }
    let size = u16::from_le_bytes([low, high]).into();
    let segments = Layout { ip, tcp: start, header: header.into(), size };
    if word & 1 << 26 != 0 {
        assert_eq!(word & 1 << 24, 1 << 24, "segments are TCP's");
        let of_ipv4 = if word & 1 << 25 != 0 { (ip + 10, start - 1) } else { (0, 0) };
        assert_eq!((ip_checksum, ip_end), of_ipv4);
    }
    Some(Context { start, offset: place - start, segments })
}
