//! The ring against a model of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The descriptors of the chain that begins with `head`.
fn chain(ring: &Ring<u32>, head: u16, count: u16) -> Vec<u16> {
    std::iter::successors(Some(head), |&descriptor| ring.next(descriptor)).take(count.into()).collect()
}

#[test]
fn chains_come_back_in_any_order_with_what_was_given() {
    let mut ring = Ring::new(4);
    let heads: Vec<_> = (10..14).map(|what| ring.give(what, 1).unwrap()).collect();
    assert_eq!((ring.room(), ring.give(14, 1)), (0, Err(14)));
    for (index, what) in [(2, 12), (0, 10), (3, 13), (1, 11)] {
        assert_eq!(ring.take(heads[index].into()), Ok((what, 1)));
    }
    assert_eq!((ring.room(), ring.owned(), ring.available(), ring.used()), (4, 0, 4, 4));
}

#[test]
fn what_the_device_did_not_have_it_cannot_have_used() {
    let mut ring = Ring::new(4);
    let head = ring.give(1, 2).unwrap();
    assert_eq!(ring.pending(1), Ok(1));
    assert_eq!(ring.pending(2), Err(Lie::Count { used: 2, owned: 1 }));
    assert_eq!(ring.pending(u16::MAX), Err(Lie::Count { used: u16::MAX, owned: 1 }));
    let second = ring.next(head).unwrap();
    for id in [u32::from(second), 4, 0x1_0000 + u32::from(head), u32::MAX] {
        assert_eq!(ring.take(id), Err(Lie::Chain(id)));
    }
    assert_eq!((ring.count(head.into()), ring.count(second.into())), (Some(2), None));
    assert_eq!(ring.take(head.into()), Ok((1, 2)));
    assert_eq!(ring.take(head.into()), Err(Lie::Chain(head.into())), "not twice");
}

#[test]
fn a_chain_without_descriptors_is_none() {
    assert_eq!(Ring::new(4).give(1, 0), Err(1));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Give(u32, u16),
    Take(usize),
    Lie(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (any::<u32>(), 1u16..5).prop_map(|(what, count)| Step::Give(what, count)),
        5 => any::<usize>().prop_map(Step::Take),
        1 => prop_oneof![0u32..40, any::<u32>()].prop_map(Step::Lie),
    ]
}

proptest! {
    #[test]
    fn every_descriptor_is_free_or_in_one_chain(
        entries in 1u16..33,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut ring = Ring::new(entries);
        // Heads with what was given and the whole chain.
        let mut model: BTreeMap<u16, (u32, Vec<u16>)> = BTreeMap::new();
        let (mut given, mut taken) = (0u16, 0u16);
        for step in steps {
            let in_use: usize = model.values().map(|(_, chain)| chain.len()).sum();
            match step {
                Step::Give(what, count) if in_use + usize::from(count) > entries.into() => {
                    prop_assert_eq!(ring.give(what, count), Err(what));
                }
                Step::Give(what, count) => {
                    let head = ring.give(what, count).unwrap();
                    prop_assert!(model.insert(head, (what, chain(&ring, head, count))).is_none());
                    given = given.wrapping_add(1);
                }
                Step::Take(choice) if !model.is_empty() => {
                    let head = *model.keys().nth(choice % model.len()).unwrap();
                    let (what, chain) = model.remove(&head).unwrap();
                    prop_assert_eq!(ring.take(head.into()), Ok((what, chain.len() as u16)));
                    taken = taken.wrapping_add(1);
                }
                Step::Take(_) => {}
                Step::Lie(id) if model.keys().any(|&head| u32::from(head) == id) => {}
                Step::Lie(id) => prop_assert_eq!(ring.take(id), Err(Lie::Chain(id))),
            }
            let mut owned: Vec<u16> = model.values().flat_map(|(_, chain)| chain.clone()).collect();
            prop_assert_eq!(ring.room() + owned.len(), usize::from(entries));
            owned.sort_unstable();
            owned.dedup();
            prop_assert_eq!(ring.room() + owned.len(), usize::from(entries), "a descriptor is in two chains");
            prop_assert_eq!((usize::from(ring.owned()), ring.available(), ring.used()), (model.len(), given, taken));
            prop_assert_eq!(ring.pending(taken.wrapping_add(model.len() as u16)), Ok(model.len() as u16));
        }
    }
}
