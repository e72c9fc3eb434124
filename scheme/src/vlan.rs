//! The tag of a VLAN (IEEE 802.1Q): four bytes between an Ethernet frame's addresses and its type.

use std::ops::Range;

/// Bytes of a tag: the type that announces it, and its control information.
pub const TAG: usize = 4;

/// The type that announces a tag.
pub const ETHERTYPE: u16 = 0x8100;

/// The bits of the control information that are the VLAN's number; the others are the frame's priority.
pub const NUMBER: u16 = 0x0fff;

/// Where the type stands, behind both addresses.
const TYPE: Range<usize> = 12..14;

/// The bytes of the tag with this control information.
pub fn tag(control: u16) -> [u8; TAG] {
    let ([a, b], [c, d]) = (ETHERTYPE.to_be_bytes(), control.to_be_bytes());
    [a, b, c, d]
}

/// The frame that begins with `bytes` carries a tag.
pub fn is_tagged(bytes: &[u8]) -> bool {
    bytes.get(TYPE) == Some(&ETHERTYPE.to_be_bytes())
}

/// Puts the tag with this control information into a frame, behind its addresses.
pub fn insert(frame: &mut Vec<u8>, control: u16) {
    let at = TYPE.start.min(frame.len());
    frame.splice(at..at, tag(control));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_between_the_addresses_and_the_type() {
        let mut frame = [[1; 6], [2; 6], [8, 0, 3, 3, 3, 3]].concat();
        assert!(!is_tagged(&frame));
        insert(&mut frame, 0x600a);
        assert!(is_tagged(&frame));
        assert_eq!(frame[12..18], [0x81, 0, 0x60, 0x0a, 8, 0]);
        let mut cut = vec![7; 3];
        insert(&mut cut, 1);
        assert_eq!(cut, [7, 7, 7, 0x81, 0, 0, 1], "what is no frame stays none");
    }
}
