//! Interrupt moderation: what a device can, what is asked of it, and the `coalesce` node.

use crate::attributes::{Refused, on_off, parse_on_off, text};

/// What a device can do about the rate of its interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moderation {
    /// Nothing.
    #[default]
    None,
    /// One interval for all its interrupts, of at most so many microseconds.
    OneInterval(u32),
    /// An interval for each direction, of at most so many microseconds.
    TwoIntervals(u32),
    /// It moderates as it sees fit, or not at all.
    OfItsOwn,
}

/// How interrupts shall be moderated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coalesce {
    /// The intervals, unless they follow the traffic.
    pub fixed: Intervals,
    /// They follow the traffic.
    pub adaptive: bool,
}

/// The least time from one interrupt to the next, in microseconds; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intervals {
    /// Of those that tell of received frames.
    pub receive: u32,
    /// Of those that tell of sent frames.
    pub transmit: u32,
}

impl Intervals {
    /// The same for both directions.
    pub const fn both(microseconds: u32) -> Self {
        Self { receive: microseconds, transmit: microseconds }
    }
}

/// At most 20,000 interrupts a second.
const DEFAULT: Intervals = Intervals::both(50);

impl Moderation {
    /// How a device works that nobody has asked for anything.
    pub fn initial(self) -> Coalesce {
        match self {
            Self::None => Coalesce::default(),
            Self::OneInterval(_) | Self::TwoIntervals(_) => Coalesce { fixed: DEFAULT, adaptive: false },
            Self::OfItsOwn => Coalesce { fixed: Intervals::default(), adaptive: true },
        }
    }

    /// The longest interval; `None` where intervals cannot be set.
    fn most(self) -> Option<u32> {
        match self {
            Self::OneInterval(most) | Self::TwoIntervals(most) => Some(most),
            Self::None | Self::OfItsOwn => None,
        }
    }

    /// The `coalesce` node: what is asked for, and the intervals that the device keeps `now`.
    pub fn lines(self, coalesce: &Coalesce, now: Intervals) -> String {
        let adaptive = format!("adaptive {}\n", on_off(coalesce.adaptive));
        if self.most().is_none() {
            return adaptive;
        }
        let Intervals { receive, transmit } = coalesce.fixed;
        format!(
            "rx-usecs {receive}\ntx-usecs {transmit}\n{adaptive}rx-usecs-now {}\ntx-usecs-now {}\n",
            now.receive, now.transmit
        )
    }

    /// `coalesce` with the changes that were written to the node: all of them, or an error.
    pub fn changed(self, coalesce: &Coalesce, written: &[u8]) -> Result<Coalesce, Refused> {
        let mut changed = *coalesce;
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.apply_line(&mut changed, line)?;
        }
        Ok(changed)
    }

    fn apply_line(self, coalesce: &mut Coalesce, line: &str) -> Result<(), Refused> {
        let unknown = || Refused::UnknownLine {
            line: line.to_owned(),
            known: "`rx-usecs N`, `tx-usecs N`, `adaptive on|off`",
        };
        let (name, value) = line.split_once(' ').ok_or_else(unknown)?;
        match name {
            "adaptive" => coalesce.adaptive = parse_on_off(value).ok_or_else(unknown)?,
            "rx-usecs" => coalesce.fixed.receive = self.interval(value)?,
            "tx-usecs" => coalesce.fixed.transmit = self.interval(value)?,
            _ => return Err(unknown()),
        }
        if matches!(self, Self::OneInterval(_)) && name != "adaptive" {
            coalesce.fixed = Intervals::both(self.interval(value)?);
        }
        Ok(())
    }

    fn interval(self, value: &str) -> Result<u32, Refused> {
        let most = self.most().ok_or(Refused::Unsupported)?;
        let interval = value.parse().map_err(|_| Refused::NotANumber(value.to_owned()))?;
        if interval > most {
            return Err(Refused::OutOfRange { least: 0, most: most as usize });
        }
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(moderation: Moderation, written: &str) -> Result<Coalesce, Refused> {
        moderation.changed(&moderation.initial(), written.as_bytes())
    }

    #[test]
    fn a_device_with_two_intervals_takes_both() {
        let changed = after(Moderation::TwoIntervals(100), "rx-usecs 10\ntx-usecs 100\nadaptive on\n");
        let coalesce = Coalesce { fixed: Intervals { receive: 10, transmit: 100 }, adaptive: true };
        assert_eq!(changed, Ok(coalesce));
        assert_eq!(
            Moderation::TwoIntervals(100).lines(&coalesce, Intervals { receive: 14, transmit: 50 }),
            "rx-usecs 10\ntx-usecs 100\nadaptive on\nrx-usecs-now 14\ntx-usecs-now 50\n"
        );
    }

    #[test]
    fn a_device_with_one_interval_has_the_one_that_was_named_last() {
        let fixed = |written| after(Moderation::OneInterval(100), written).map(|changed| changed.fixed);
        assert_eq!(fixed("tx-usecs 20"), Ok(Intervals::both(20)));
        assert_eq!(fixed("tx-usecs 20\nrx-usecs 30"), Ok(Intervals::both(30)));
    }

    #[test]
    fn a_device_that_moderates_by_itself_has_a_switch() {
        let own = Moderation::OfItsOwn;
        assert_eq!(own.lines(&own.initial(), Intervals::default()), "adaptive on\n");
        assert_eq!(after(own, "adaptive off").map(|changed| changed.adaptive), Ok(false));
        assert_eq!(after(own, "rx-usecs 1"), Err(Refused::Unsupported));
    }

    #[test]
    fn one_bad_line_refuses_them_all() {
        let refused = |line: &str| after(Moderation::OneInterval(100), &format!("adaptive on\n{line}")).err();
        assert_eq!(refused("rx-usecs 101"), Some(Refused::OutOfRange { least: 0, most: 100 }));
        assert_eq!(refused("rx-usecs -1"), Some(Refused::NotANumber("-1".to_owned())));
        for line in ["adaptive maybe", "rx-usecs", "usecs 3"] {
            assert!(matches!(refused(line), Some(Refused::UnknownLine { .. })), "{line}");
        }
    }
}
