//! Arenas and regions against arbitrary requests.

use proptest::prelude::*;

use super::*;

const BUS_BASE: u64 = 0xff_ffff_f000;

struct Words(Vec<u64>);

impl Backing for Words {
    fn quiet(&self) {}
}

fn arena(size: usize) -> Arena {
    let mut words = Words(vec![0; size / 8]);
    let base = NonNull::from(words.0.as_mut_slice()).cast::<u8>();
    // SAFETY: the words are on the heap, live as long as the backing, and are reached through the arena only.
    unsafe { Arena::new(base, size, BUS_BASE, Box::new(words)) }
}

proptest! {
    #[test]
    fn regions_are_aligned_inside_and_never_overlap(
        requests in prop::collection::vec((0usize..5000, 0u32..14), 1..40)
    ) {
        let arena = arena(16384);
        let mut end = BUS_BASE;
        for (size, shift) in requests {
            let align = 1usize << shift;
            let Ok(region) = arena.allocate(size, align) else { continue };
            prop_assert!(region.bus_address() >= end);
            prop_assert!(region.bus_address().is_multiple_of(align.max(8) as u64));
            prop_assert_eq!(region.size(), size);
            end = region.bus_address() + size as u64;
            prop_assert!(end <= BUS_BASE + arena.size() as u64);
        }
    }

    #[test]
    fn absurd_requests_are_refused(size in any::<usize>(), align in any::<usize>()) {
        let arena = arena(4096);
        prop_assert_eq!(arena.allocate(size.saturating_add(4097), align).is_err(), true);
        prop_assert!(arena.allocate(4096, 8).is_ok(), "a refused request takes nothing");
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_changes(
        offset in 0usize..300, bytes in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        let arena = arena(4096);
        let (before, region, after) = {
            let (before, rest) = arena.allocate(512, 8).unwrap().split_at(128);
            let (region, after) = rest.split_at(256);
            (before, region, after)
        };
        let fits = offset + bytes.len() <= 256;
        prop_assert_eq!(region.copy_from(offset, &bytes), fits);
        let mut back = vec![0xee; bytes.len()];
        prop_assert_eq!(region.copy_to(offset, &mut back), fits);
        if fits {
            prop_assert_eq!(back, bytes);
        } else {
            prop_assert!(back.iter().all(|byte| *byte == 0xee));
        }
        for neighbour in [before, after] {
            let mut all = vec![0xee; neighbour.size()];
            prop_assert!(neighbour.copy_to(0, &mut all));
            prop_assert!(all.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn words_are_inside_and_aligned_or_refused(
        offset in any::<usize>(), near in 0usize..64, word in any::<u64>()
    ) {
        let arena = arena(4096);
        let region = arena.allocate(40, 8).unwrap();
        for offset in [offset, near] {
            let fits = offset % 8 == 0 && offset <= 32;
            prop_assert_eq!(region.write_word(offset, word), fits);
            prop_assert_eq!(region.read_word(offset), fits.then_some(word));
            let half = word as u16;
            let fits = offset % 2 == 0 && offset <= 38;
            prop_assert_eq!(region.write_u16(offset, half), fits);
            prop_assert_eq!(region.read_u16(offset), fits.then_some(half));
            prop_assert_eq!(region.read_u32(offset).is_some(), offset % 4 == 0 && offset <= 36);
        }
    }
}

#[test]
fn words_are_little_endian_as_the_bus_is() {
    let region = arena(4096).allocate(8, 8).unwrap();
    assert!(region.write_word(0, 0x0807_0605_0403_0201));
    let mut bytes = [0; 8];
    assert!(region.copy_to(0, &mut bytes));
    assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((region.read_u16(2), region.read_u32(4)), (Some(0x0403), Some(0x0807_0605)));
    assert!(region.write_u16(6, 0xbbaa));
    assert_eq!(region.read_word(0), Some(0xbbaa_0605_0403_0201));
}

#[test]
fn a_cut_past_the_end_leaves_an_empty_tail() {
    let (head, tail) = arena(4096).allocate(64, 8).unwrap().split_at(100);
    assert_eq!((head.size(), tail.size()), (64, 0));
    assert_eq!(tail.read_word(0), None);
}
