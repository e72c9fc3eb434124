//! Which bus addresses are in use.

use std::ops::Range;

/// Arenas are put above the first megabyte, which firmware may have reserved.
const LOWEST: u64 = 0x0010_0000;

/// What every IOMMU of a PC translates, for kernels that do not report it: addresses below those of the
/// interrupt messages.
const FALLBACK: Range<u64> = 0..0xfee0_0000;

/// Arenas begin at a page of the IOMMU.
const PAGE: u64 = 4096;

/// The bus addresses of one function.
pub struct IovaSpace {
    /// Where arenas may be, in ascending order, without overlap.
    windows: Vec<Range<u64>>,
    /// Where they are, in ascending order, without overlap.
    used: Vec<Range<u64>>,
}

impl IovaSpace {
    /// The bus addresses that the IOMMU is `reported` to translate, which need not be in order.
    pub fn new(reported: Option<Vec<Range<u64>>>) -> Self {
        let mut windows = reported.unwrap_or_else(|| vec![FALLBACK]);
        windows.sort_unstable_by_key(|window| window.start);
        Self { windows, used: Vec::new() }
    }

    /// Takes the lowest free range of `size` bytes (whole pages) below 2^`address_bits`.
    pub fn take(&mut self, size: u64, address_bits: u32) -> Option<u64> {
        let limit = 1u64.checked_shl(address_bits).unwrap_or(u64::MAX);
        let start = self.windows.iter().find_map(|window| {
            let end = window.end.min(limit);
            self.lowest_free(window.start.max(LOWEST), end, size)
        })?;
        let place = self.used.partition_point(|used| used.start < start);
        self.used.insert(place, start..start + size);
        Some(start)
    }

    /// The first page from `start` on with `size` unused bytes before `end`.
    fn lowest_free(&self, start: u64, end: u64, size: u64) -> Option<u64> {
        let mut start = start.checked_next_multiple_of(PAGE)?;
        for used in &self.used {
            if start.checked_add(size)? <= used.start {
                break;
            }
            start = start.max(used.end);
        }
        start.checked_add(size).is_some_and(|last| last <= end).then_some(start)
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
            cuts in prop::collection::btree_set(0u64..1 << 33, 2..8),
            steps in prop::collection::vec((1u64..0x2000, 16u32..70, any::<bool>()), 1..60)
        ) {
            let cuts: Vec<u64> = cuts.into_iter().collect();
            let windows: Vec<Range<u64>> = cuts.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
            let mut space = IovaSpace::new(Some(windows.iter().rev().cloned().collect()));
            let mut held: Vec<Range<u64>> = Vec::new();
            for (pages, bits, give_back) in steps {
                if give_back && let Some(range) = held.pop() {
                    space.give_back(range.start);
                }
                let size = pages * PAGE;
                let Some(start) = space.take(size, bits) else { continue };
                let end = start + size;
                prop_assert!(start >= LOWEST && start.is_multiple_of(PAGE));
                prop_assert!(windows.iter().any(|window| window.start <= start && end <= window.end));
                prop_assert!(u128::from(end) <= 1 << bits);
                prop_assert!(held.iter().all(|other| end <= other.start || other.end <= start));
                held.push(start..end);
            }
        }
    }

    #[test]
    fn a_gap_is_used_again() {
        let mut space = IovaSpace::new(None);
        let first = space.take(4096, 32).unwrap();
        let second = space.take(8192, 32).unwrap();
        space.give_back(first);
        assert_eq!(space.take(8192, 32), Some(second + 8192), "the gap is too small");
        assert_eq!(space.take(4096, 32), Some(first));
    }

    #[test]
    fn what_the_device_cannot_reach_is_refused() {
        let mut space = IovaSpace::new(None);
        assert_eq!(space.take(4096, 20), None);
        assert_eq!(space.take(u64::MAX, 64), None);
    }

    #[test]
    fn only_what_is_reported_is_used() {
        let mut space = IovaSpace::new(Some(vec![0x1_0000_0000..0x1_0000_2000, 0x8_0000..0x10_1000]));
        assert_eq!(space.take(8192, 64), Some(0x1_0000_0000));
        assert_eq!(space.take(4096, 64), Some(0x10_0000), "the first megabyte is left alone");
        assert_eq!(space.take(4096, 64), None);
    }

    #[test]
    fn without_a_report_the_interrupt_messages_addresses_are_left_alone() {
        let mut space = IovaSpace::new(None);
        assert_eq!(space.take(FALLBACK.end - LOWEST, 64), Some(LOWEST));
        assert_eq!(space.take(4096, 64), None);
    }
}
