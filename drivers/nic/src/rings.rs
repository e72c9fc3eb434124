//! The sizes of descriptor rings: what a device takes, what is asked for, and the `rings` node.

use crate::attributes::{Refused, text};

/// Entries of a device's rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rings {
    /// For frames that are received.
    pub receive: u16,
    /// For frames to send.
    pub transmit: u16,
}

impl Rings {
    /// As many entries in both.
    pub const fn both(entries: u16) -> Self {
        Self { receive: entries, transmit: entries }
    }
}

/// The sizes that a device takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// Those that it has first.
    pub initial: Rings,
    /// The least.
    pub least: Rings,
    /// The most.
    pub most: Rings,
    /// Which of those in between.
    pub step: Step,
}

/// Which sizes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Multiples of this.
    MultipleOf(u16),
    /// Powers of two.
    PowerOfTwo,
}

impl RingLimits {
    /// The `rings` node.
    pub fn lines(&self, rings: Rings) -> String {
        let Self { least, most, .. } = self;
        format!(
            "rx {}\ntx {}\nrx-min {}\nrx-max {}\ntx-min {}\ntx-max {}\n",
            rings.receive, rings.transmit, least.receive, most.receive, least.transmit, most.transmit
        )
    }

    /// `rings` with the changes that were written to the node: all of them, or an error.
    pub fn changed(&self, rings: Rings, written: &[u8]) -> Result<Rings, Refused> {
        let mut changed = rings;
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(' ') {
                Some(("rx", size)) => changed.receive = self.size(size, |rings| rings.receive)?,
                Some(("tx", size)) => changed.transmit = self.size(size, |rings| rings.transmit)?,
                _ => return Err(Refused::UnknownLine { line: line.to_owned(), known: "`rx N`, `tx N`" }),
            }
        }
        Ok(changed)
    }

    fn size(&self, text: &str, of: fn(&Rings) -> u16) -> Result<u16, Refused> {
        let size: u16 = text.parse().map_err(|_| Refused::NotANumber(text.to_owned()))?;
        let (least, most) = (of(&self.least), of(&self.most));
        if !(least..=most).contains(&size) {
            return Err(Refused::OutOfRange { least: least.into(), most: most.into() });
        }
        match self.step {
            Step::MultipleOf(step) if !size.is_multiple_of(step) => Err(Refused::NotAMultiple { size, step }),
            Step::PowerOfTwo if !size.is_power_of_two() => Err(Refused::NotAPowerOfTwo(size)),
            _ => Ok(size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RingLimits = RingLimits {
        initial: Rings::both(256),
        least: Rings { receive: 16, transmit: 32 },
        most: Rings { receive: 4096, transmit: 1024 },
        step: Step::MultipleOf(8),
    };

    fn after(written: &str) -> Result<Rings, Refused> {
        LIMITS.changed(LIMITS.initial, written.as_bytes())
    }

    #[test]
    fn sizes_are_set_one_by_one_or_together() {
        assert_eq!(after("rx 16\n"), Ok(Rings { receive: 16, transmit: 256 }));
        assert_eq!(after("rx 4096\ntx 32\n"), Ok(Rings { receive: 4096, transmit: 32 }));
        assert_eq!(
            LIMITS.lines(LIMITS.initial),
            "rx 256\ntx 256\nrx-min 16\nrx-max 4096\ntx-min 32\ntx-max 1024\n"
        );
    }

    #[test]
    fn what_the_device_does_not_take_is_refused() {
        assert_eq!(after("rx 32\ntx 16"), Err(Refused::OutOfRange { least: 32, most: 1024 }));
        assert_eq!(after("rx 20"), Err(Refused::NotAMultiple { size: 20, step: 8 }));
        assert_eq!(after("rx -1"), Err(Refused::NotANumber("-1".to_owned())));
        assert!(matches!(after("rx"), Err(Refused::UnknownLine { .. })));
        let powers = RingLimits { step: Step::PowerOfTwo, ..LIMITS };
        assert_eq!(powers.changed(LIMITS.initial, b"tx 40"), Err(Refused::NotAPowerOfTwo(40)));
    }
}
