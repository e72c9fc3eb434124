//! What the PHY agrees upon with its partner, or is told to do: the `media` node.

use crate::attributes::{Refused, on_off, parse_on_off, text};

/// How the PHY comes by speed and duplex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// It negotiates them with its partner. What follows is for when it does not.
    pub negotiates: bool,
    /// 100 Mbit/s, not 10. More is always negotiated (IEEE 802.3, 40.5.1).
    pub fast: bool,
    /// Both ways at once.
    pub full_duplex: bool,
}

/// The PHY's control register (IEEE 802.3, 22.2.4.1).
const FULL_DUPLEX: u16 = 1 << 8;
const RESTART: u16 = 1 << 9;
const NEGOTIATE: u16 = 1 << 12;
const SPEED_100: u16 = 1 << 13;

/// The lines of the node.
const LINES: &str = "`autoneg on|off`, `speed 10|100`, `full-duplex on|off`";

impl Default for Media {
    fn default() -> Self {
        Self { negotiates: true, fast: true, full_duplex: true }
    }
}

impl Media {
    /// The PHY's control register that has it so; one that negotiates begins anew.
    pub fn control(self) -> u16 {
        let bit = |wanted, bit| if wanted { bit } else { 0 };
        if self.negotiates {
            return NEGOTIATE | RESTART;
        }
        bit(self.fast, SPEED_100) | bit(self.full_duplex, FULL_DUPLEX)
    }

    /// Whether the PHY, which was set to `before`, has to be told. One that is not to negotiate may have been reset.
    pub fn is_news_after(self, before: Self) -> bool {
        !(self.negotiates && before.negotiates)
    }

    /// The node's text.
    pub fn lines(self) -> String {
        let speed = if self.fast { 100 } else { 10 };
        let (negotiates, full_duplex) = (on_off(self.negotiates), on_off(self.full_duplex));
        format!("autoneg {negotiates}\nspeed {speed}\nfull-duplex {full_duplex}\n")
    }

    /// The same with the changes that were written: all of them, or an error.
    pub fn changed(self, written: &[u8]) -> Result<Self, Refused> {
        let mut changed = self;
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let unknown = || Refused::UnknownLine { line: line.to_owned(), known: LINES };
            match line.split_once(' ').ok_or_else(unknown)? {
                ("autoneg", value) => changed.negotiates = parse_on_off(value).ok_or_else(unknown)?,
                ("speed", "10") => changed.fast = false,
                ("speed", "100") => changed.fast = true,
                ("full-duplex", value) => changed.full_duplex = parse_on_off(value).ok_or_else(unknown)?,
                _ => return Err(unknown()),
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_set_one_by_one_or_together_and_read_back() {
        let negotiated = Media::default();
        assert_eq!(negotiated.lines(), "autoneg on\nspeed 100\nfull-duplex on\n");
        let forced = negotiated.changed(b"speed 10\nfull-duplex off\nautoneg off\n").unwrap();
        assert_eq!(forced.lines(), "autoneg off\nspeed 10\nfull-duplex off\n");
        assert_eq!(forced.changed(b"autoneg on").map(Media::control), Ok(0x1200));
        assert_eq!((forced.control(), forced.changed(b"speed 100").map(Media::control)), (0, Ok(0x2000)));
    }

    #[test]
    fn what_is_always_negotiated_and_what_is_no_line_is_refused() {
        for line in ["speed 1000", "speed", "autoneg", "autoneg 1", "full-duplex half", "port tp"] {
            let refused = Refused::UnknownLine { line: line.to_owned(), known: LINES };
            assert_eq!(Media::default().changed(format!("speed 10\n{line}").as_bytes()), Err(refused));
        }
    }
}
