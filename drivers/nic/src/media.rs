//! What the link's ends agree upon, or a device is told to do: the `media` node.

use crate::attributes::{Refused, on_off, parse_on_off, text};

/// How the link comes by speed and duplex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// They are negotiated with the partner, or what the board is made for. What follows is for when they are not.
    pub negotiates: bool,
    /// Mbit/s.
    pub speed: u32,
    /// Both ways at once.
    pub full_duplex: bool,
}

/// What a device can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaLimits {
    /// Speeds in Mbit/s.
    pub speeds: &'static [u32],
    /// Whether half duplex is among it.
    pub half_duplex: bool,
}

/// The PHY's control register (IEEE 802.3, 22.2.4.1).
const FULL_DUPLEX: u16 = 1 << 8;
const RESTART: u16 = 1 << 9;
const NEGOTIATE: u16 = 1 << 12;
const SPEED_100: u16 = 1 << 13;

/// The lines of the node.
const LINES: &str = "`autoneg on|off`, `speed N` and `full-duplex on|off`, as far as the device can be told";

impl Default for Media {
    fn default() -> Self {
        Self { negotiates: true, speed: 100, full_duplex: true }
    }
}

impl MediaLimits {
    /// Those of a PHY for copper: more is always negotiated (IEEE 802.3, 40.5.1).
    pub const COPPER: Self = Self { speeds: &[10, 100], half_duplex: true };

    /// What holds first: the device negotiates, and were it told not to, it would take the highest speed.
    pub fn initial(&self) -> Media {
        Media { speed: self.speeds.iter().copied().max().unwrap_or_default(), ..Media::default() }
    }

    /// `media` with the changes that were written: all of them, or an error.
    pub fn changed(&self, media: Media, written: &[u8]) -> Result<Media, Refused> {
        let mut changed = media;
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.apply_line(&mut changed, line)
                .ok_or_else(|| Refused::UnknownLine { line: line.to_owned(), known: LINES })?;
        }
        Ok(changed)
    }

    fn apply_line(&self, media: &mut Media, line: &str) -> Option<()> {
        match line.split_once(' ')? {
            ("autoneg", value) => media.negotiates = parse_on_off(value)?,
            ("speed", value) => {
                media.speed = value.parse().ok().filter(|speed| self.speeds.contains(speed))?
            }
            ("full-duplex", value) => {
                media.full_duplex = parse_on_off(value).filter(|full| *full || self.half_duplex)?;
            }
            _ => return None,
        }
        Some(())
    }
}

impl Media {
    /// The control register of a PHY for copper that has it so; one that negotiates begins anew.
    pub fn control(self) -> u16 {
        let bit = |wanted, bit| if wanted { bit } else { 0 };
        if self.negotiates {
            return NEGOTIATE | RESTART;
        }
        bit(self.speed == 100, SPEED_100) | bit(self.full_duplex, FULL_DUPLEX)
    }

    /// Whether the PHY, which was set to `before`, has to be told. One that is not to negotiate may have been reset.
    pub fn is_news_after(self, before: Self) -> bool {
        !(self.negotiates && before.negotiates)
    }

    /// The node's text.
    pub fn lines(self) -> String {
        let speed = self.speed;
        let (negotiates, full_duplex) = (on_off(self.negotiates), on_off(self.full_duplex));
        format!("autoneg {negotiates}\nspeed {speed}\nfull-duplex {full_duplex}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(media: Media, written: &str) -> Result<Media, Refused> {
        MediaLimits::COPPER.changed(media, written.as_bytes())
    }

    #[test]
    fn lines_are_set_one_by_one_or_together_and_read_back() {
        let negotiated = Media::default();
        assert_eq!(negotiated.lines(), "autoneg on\nspeed 100\nfull-duplex on\n");
        let forced = changed(negotiated, "speed 10\nfull-duplex off\nautoneg off\n").unwrap();
        assert_eq!(forced.lines(), "autoneg off\nspeed 10\nfull-duplex off\n");
        assert_eq!(changed(forced, "autoneg on").map(Media::control), Ok(0x1200));
        assert_eq!((forced.control(), changed(forced, "speed 100").map(Media::control)), (0, Ok(0x2000)));
    }

    #[test]
    fn what_is_always_negotiated_and_what_is_no_line_is_refused() {
        for line in ["speed 1000", "speed", "autoneg", "autoneg 1", "full-duplex half", "port tp"] {
            let refused = Refused::UnknownLine { line: line.to_owned(), known: LINES };
            assert_eq!(changed(Media::default(), &format!("speed 10\n{line}")), Err(refused));
        }
    }

    #[test]
    fn a_module_has_speeds_of_its_own_and_no_half_duplex() {
        let module = MediaLimits { speeds: &[1000, 10_000], half_duplex: false };
        assert_eq!(module.initial().lines(), "autoneg on\nspeed 10000\nfull-duplex on\n");
        let slow = module.changed(module.initial(), b"autoneg off\nspeed 1000\nfull-duplex on");
        assert_eq!(slow.map(|media| (media.negotiates, media.speed)), Ok((false, 1000)));
        for wrong in ["speed 100", "full-duplex off"] {
            assert!(module.changed(module.initial(), wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
