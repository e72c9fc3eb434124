//! What VFIO tells of the IOMMU: which bus addresses it translates (Linux, `include/uapi/linux/vfio.h`).

use std::ops::Range;

/// Offset of `flags` in `struct vfio_iommu_type1_info`.
const FLAGS: usize = 4;
/// `VFIO_IOMMU_INFO_CAPS`: there is a chain of capabilities.
const HAS_CAPABILITIES: u32 = 1 << 1;
/// Offset of `cap_offset`, where the chain begins.
const CAP_OFFSET: usize = 16;
/// `VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE`.
const IOVA_RANGE: u16 = 1;
/// The size of `struct vfio_info_cap_header`: id, version, offset of the next one.
const CAPABILITY_HEADER: usize = 8;

/// The bus addresses that the IOMMU translates, from `struct vfio_iommu_type1_info` and what follows it.
/// `None` if `info` does not tell, as before Linux 5.4.
pub fn reported_ranges(info: &[u8]) -> Option<Vec<Range<u64>>> {
    if word(info, FLAGS)? & HAS_CAPABILITIES == 0 {
        return None;
    }
    let ranges = ranges_in(capability(info, IOVA_RANGE)?);
    (!ranges.is_empty()).then_some(ranges)
}

/// The body of capability `id`, with what follows it.
fn capability(info: &[u8], id: u16) -> Option<&[u8]> {
    let mut at = word(info, CAP_OFFSET)? as usize;
    loop {
        let bytes = info.get(at..)?;
        let (found, next) = (u16::from_ne_bytes(*bytes.first_chunk()?), word(bytes, 4)? as usize);
        match () {
            () if found == id => return bytes.get(CAPABILITY_HEADER..),
            // The kernel writes them one after the other: a chain that goes back has no end.
            () if next <= at => return None,
            () => at = next,
        }
    }
}

/// The ranges of `struct vfio_iommu_type1_info_cap_iova_range`: their number, a reserved word, and of each the
/// first and the last address.
fn ranges_in(body: &[u8]) -> Vec<Range<u64>> {
    let count = word(body, 0).unwrap_or(0) as usize;
    let pairs = body.get(8..).unwrap_or_default().chunks_exact(16).take(count);
    let range = |pair: &[u8]| {
        let start = u64::from_ne_bytes(*pair.first_chunk()?);
        let last = u64::from_ne_bytes(*pair.last_chunk()?);
        // An end of 2^64 is no number: the last byte is left out.
        (start < last).then_some(start..last.saturating_add(1))
    };
    pairs.filter_map(range).collect()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `struct vfio_iommu_type1_info` (24 bytes) with capabilities behind it.
    fn info(flags: u32, capabilities: &[&[u32]]) -> Vec<u8> {
        let mut words = vec![0, flags, 0x1000, 0, 24, 0];
        for (index, capability) in capabilities.iter().enumerate() {
            let end = (words.len() + capability.len()) * 4;
            words.extend([capability[0], if index + 1 < capabilities.len() { end as u32 } else { 0 }]);
            words.extend(&capability[2..]);
        }
        words.iter().flat_map(|word: &u32| word.to_ne_bytes()).collect()
    }

    /// A capability of version 1, whose second word [`info`] sets.
    const MIGRATION: [u32; 4] = [1 << 16 | 2, 0, 7, 7];
    /// All but the interrupt messages' addresses, as Intel's IOMMU is reported, up to 2^39.
    const RANGES: [u32; 12] = [1 << 16 | 1, 0, 2, 0, 0, 0, 0xfedf_ffff, 0, 0xfef0_0000, 0, 0xffff_ffff, 0x7f];

    #[test]
    fn the_ranges_are_found_in_the_chain() {
        let expected = vec![0..0xfee0_0000, 0xfef0_0000..1 << 39];
        assert_eq!(reported_ranges(&info(3, &[&RANGES])), Some(expected.clone()));
        assert_eq!(reported_ranges(&info(3, &[&MIGRATION, &RANGES, &MIGRATION])), Some(expected));
    }

    #[test]
    fn a_kernel_that_tells_of_none_is_understood() {
        assert_eq!(reported_ranges(&info(1, &[&RANGES])), None, "no capabilities");
        assert_eq!(reported_ranges(&info(3, &[&MIGRATION])), None);
        assert_eq!(reported_ranges(&info(3, &[&RANGES[..4]])), None, "two ranges announced, none there");
        assert_eq!(reported_ranges(&[]), None);
    }

    #[test]
    fn the_whole_space_and_an_empty_range_are_understood() {
        let (whole, backward) = ([0, 0, u32::MAX, u32::MAX], [0x2000, 0, 0x1000, 0]);
        let capability = [&[1 << 16 | 1, 0, 2, 0][..], &backward, &whole].concat();
        let everything = 0..u64::MAX;
        assert_eq!(reported_ranges(&info(3, &[&capability])), Some(vec![everything]));
    }

    #[test]
    fn a_chain_that_goes_round_ends() {
        let mut chain = info(3, &[&MIGRATION, &MIGRATION]);
        let next_of_second = 24 + 16 + 4;
        chain[next_of_second] = 24;
        assert_eq!(reported_ranges(&chain), None);
    }

    proptest! {
        #[test]
        fn garbage_is_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0u8..64) {
            let _ = reported_ranges(&bytes);
            if let Some(start) = bytes.get_mut(CAP_OFFSET..CAP_OFFSET + 4) {
                start.copy_from_slice(&u32::from(at).to_ne_bytes());
            }
            if let Some(flags) = bytes.get_mut(FLAGS) {
                *flags |= 2;
            }
            let _ = reported_ranges(&bytes);
        }
    }
}
