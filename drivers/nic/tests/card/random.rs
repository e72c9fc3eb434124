//! Whatever a device of descriptor rings says, its driver comes to no harm.

use std::time::Duration;

use proptest::prelude::*;

use crate::model::Card;
use models::madness::{Madness, act};
use models::rig::Rig;

const SECOND: Duration = Duration::from_secs(1);

/// Steps of a case. Half of them are faults, or more.
const STEPS: usize = 200;

/// How many faults the two tests make together, if `FAULTS` in the environment does not say.
const FAULTS: u32 = 20_000;

fn cases() -> ProptestConfig {
    let faults = std::env::var("FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FAULTS);
    ProptestConfig::with_cases(faults.div_ceil(2 * STEPS as u32 / 2))
}

fn madness() -> impl Strategy<Value = Madness> {
    prop_oneof![
        4 => (any::<bool>(), 0usize..256, any::<u64>())
            .prop_map(|(receive, entry, word)| Madness::Scribble { receive, entry, word }),
        1 => any::<u32>().prop_map(Madness::Cause),
        2 => (60usize..1514).prop_map(Madness::Arrive),
        2 => (60usize..1514).prop_map(Madness::Send),
        1 => (0u64..3000).prop_map(Madness::Wait),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_descriptors_do_no_harm(steps in prop::collection::vec(madness(), STEPS)) {
        let mut rig = Rig::new(Card::new());
        let id = rig.open_frames();
        for (index, step) in steps.into_iter().enumerate() {
            act(&mut rig, id, index, step).expect("the device answers");
        }
        rig.close(id);
        rig.pass(10 * SECOND).expect("the device answers");
        prop_assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
        prop_assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
    }

    #[test]
    fn random_registers_do_no_harm(
        steps in prop::collection::vec(
            prop_oneof![2 => any::<u32>().prop_map(Madness::Lie), 1 => madness()],
            STEPS
        )
    ) {
        let mut rig = Rig::new(Card::new());
        let id = rig.open_frames();
        let slot = rig.slot.clone();
        let _ = steps.into_iter().enumerate().try_for_each(|(index, step)| act(&mut rig, id, index, step));
        drop(rig);
        prop_assert!(!slot.is_bus_master());
    }
}
