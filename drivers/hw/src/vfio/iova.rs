//! Which bus addresses are in use.

use std::ops::Range;

/// Where arenas are put: above the first megabyte (which firmware may have reserved) and below the interrupt
/// messages' range at `0xfee0_0000`, which no IOMMU of a PC translates.
const SPACE: Range<u64> = 0x0010_0000..0xfee0_0000;

/// The bus addresses of one function.
#[derive(Default)]
pub struct IovaSpace {
    /// In ascending order, without overlap.
    used: Vec<Range<u64>>,
}

impl IovaSpace {
    /// Takes the lowest free range of `size` bytes (whole pages) below 2^`address_bits`.
    pub fn take(&mut self, size: u64, address_bits: u32) -> Option<u64> {
        let limit = 1u64.checked_shl(address_bits).map_or(SPACE.end, |end| end.min(SPACE.end));
        let mut start = SPACE.start;
        let mut place = self.used.len();
        for (index, used) in self.used.iter().enumerate() {
            if used.start - start >= size {
                place = index;
                break;
            }
            start = used.end;
        }
        let end = start.checked_add(size).filter(|end| *end <= limit)?;
        self.used.insert(place, start..end);
        Some(start)
    }

    /// Gives back the range that begins at `start`.
    pub fn give_back(&mut self, start: u64) {
        self.used.retain(|used| used.start != start);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_never_overlap_and_stay_inside(
            steps in prop::collection::vec((1u64..0x2000, 16u32..70, any::<bool>()), 1..60)
        ) {
            let mut space = IovaSpace::default();
            let mut held: Vec<Range<u64>> = Vec::new();
            for (pages, bits, give_back) in steps {
                if give_back && let Some(range) = held.pop() {
                    space.give_back(range.start);
                }
                let size = pages * 4096;
                let Some(start) = space.take(size, bits) else { continue };
                let end = start + size;
                prop_assert!(start >= SPACE.start && end <= SPACE.end);
                prop_assert!(u128::from(end) <= 1 << bits);
                prop_assert!(held.iter().all(|other| end <= other.start || other.end <= start));
                held.push(start..end);
            }
        }
    }

    #[test]
    fn a_gap_is_used_again() {
        let mut space = IovaSpace::default();
        let first = space.take(4096, 32).unwrap();
        let second = space.take(8192, 32).unwrap();
        space.give_back(first);
        assert_eq!(space.take(8192, 32), Some(second + 8192), "the gap is too small");
        assert_eq!(space.take(4096, 32), Some(first));
    }

    #[test]
    fn what_the_device_cannot_reach_is_refused() {
        let mut space = IovaSpace::default();
        assert_eq!(space.take(4096, 20), None);
        assert_eq!(space.take(u64::MAX, 64), None);
    }
}
