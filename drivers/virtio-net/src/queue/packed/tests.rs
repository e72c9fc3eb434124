//! The ring in memory, against a device that uses chains in any order.

use hw::PciFunction;
use hw::fake::{Function, Slot};
use models::virtio_net::Packed as Model;
use proptest::prelude::*;

use super::*;
use crate::queue::{Format, Queue};
use crate::registers::Features;

const FEATURES: Features = Features::RING_PACKED.union(Features::EVENT_IDX);

#[test]
fn a_place_goes_round_and_the_counter_with_it() {
    let place = Place { slot: 6, wrap: true };
    assert_eq!(place.after(1, 8), Place { slot: 7, wrap: true });
    assert_eq!(place.after(2, 8), Place { slot: 0, wrap: false });
    assert_eq!(place.after(8, 8), Place { slot: 6, wrap: false });
    assert_eq!(place.until(place.after(3, 8), 8), 3);
    assert_eq!(place.after(3, 8).until(place, 8), 13, "it comes after the next round");
    assert_eq!(Place::of_desc(place.after(2, 8).desc()), place.after(2, 8));
    assert!(place.until(Place::of_desc(0x7fff), 8) < 16, "a place that is none");
}

#[test]
fn flags_are_of_the_round() {
    let (first, second) = (Place::FIRST, Place::FIRST.after(8, 8));
    assert_eq!((first.available(), second.available()), (1 << 7, 1 << 15));
    for (flags, used) in
        [(0, [false, true]), (1 << 7, [false; 2]), (1 << 15, [false; 2]), (0x8080, [true, false])]
    {
        assert_eq!([first.is_used(flags), second.is_used(flags)], used, "{flags:#x}");
    }
}

/// The queue, and the device's side of it.
struct Bed {
    queue: Queue<u32>,
    areas: Areas,
    entries: u16,
    slot: Slot<Model>,
    /// Where the device looks for what is available, and where it writes what it used.
    seen: Place,
    used: Place,
    /// The chains that the device has, by id, with their descriptors.
    taken: Vec<(u16, u16)>,
    /// Held for the memory to be reached.
    _function: Function<Model>,
}

impl Bed {
    fn new(entries: u16) -> Self {
        let slot = Slot::new(Model::new());
        let mut function = slot.claim();
        function.set_bus_master(true).unwrap();
        let memory = function.dma_arena(super::super::MEMORY, 64).unwrap();
        let memory = memory.allocate(super::super::MEMORY, super::super::MEMORY).unwrap();
        let mut queue = Queue::new(Format::new(memory, FEATURES));
        let areas = queue.start(entries);
        let (seen, used) = (Place::FIRST, Place::FIRST);
        Self { queue, areas, entries, slot, seen, used, taken: Vec::new(), _function: function }
    }

    fn give(&mut self, what: u32, count: u16) -> Result<(), u32> {
        let piece = |index| Piece { address: u64::from(what), len: u32::from(index), writable: false };
        self.queue.give(what, &(0..count).map(piece).collect::<Vec<_>>())
    }

    /// The device takes what is available.
    fn look(&mut self) {
        let mut count = 0;
        loop {
            let mut bytes = [0; 4];
            let at = self.areas.descriptors + self.seen.offset() as u64 + 12;
            assert!(self.slot.with(|_, bus| bus.read(at, &mut bytes)));
            let [id, flags] = [[bytes[0], bytes[1]], [bytes[2], bytes[3]]].map(u16::from_le_bytes);
            if flags & (AVAIL | USED) != self.seen.available() {
                assert_eq!(count, 0, "a chain was shown in part");
                return;
            }
            self.seen = self.seen.after(1, self.entries);
            count += 1;
            if flags & 1 == 0 {
                self.taken.push((id, std::mem::take(&mut count)));
            }
        }
    }

    /// The device uses one of the chains that it has; whether it would interrupt.
    fn use_one(&mut self, choice: usize) -> bool {
        let (id, count) = self.taken.remove(choice % self.taken.len());
        let flags = if self.used.wrap { AVAIL | USED } else { 0 };
        let bytes = [u16::to_le_bytes(id), u16::to_le_bytes(flags)].concat();
        let at = self.areas.descriptors + self.used.offset() as u64 + 12;
        let before = self.used;
        self.used = self.used.after(count, self.entries);
        let driver = self.areas.driver;
        let mut wish = [0; 4];
        assert!(self.slot.with(|_, bus| bus.write(at, &bytes) && bus.read(driver, &mut wish)));
        let [desc, flags] = [[wish[0], wish[1]], [wish[2], wish[3]]].map(u16::from_le_bytes);
        let event = Place::of_desc(desc);
        flags == DESC && before.until(event, self.entries) < count.into()
    }
}

#[test]
fn nothing_is_available_before_it_is_shown() {
    let mut bed = Bed::new(16);
    assert!(!bed.queue.show(), "there is nothing");
    bed.give(1, 2).unwrap();
    bed.give(2, 1).unwrap();
    bed.look();
    assert!(bed.taken.is_empty());
    assert!(bed.queue.show());
    bed.look();
    assert_eq!(bed.taken.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_notification_is_sent_where_it_is_wanted_or_was_wanted_before() {
    let mut bed = Bed::new(16);
    let mut shown = |place: u16| {
        let device = bed.areas.device;
        let wish = [WRAP | place, DESC].map(u16::to_le_bytes).concat();
        assert!(bed.slot.with(|_, bus| bus.write(device, &wish)));
        bed.give(1, 2).unwrap();
        bed.queue.show()
    };
    // Each shows two more.
    assert!(shown(0));
    assert!(shown(3));
    assert!(!shown(6), "it comes next");
    assert!(!shown(12));
    assert!(shown(7), "it is behind");
}

#[test]
fn an_interrupt_that_was_asked_for_comes_or_is_not_needed() {
    let mut bed = Bed::new(16);
    (0..8).for_each(|what| bed.give(what, 2).unwrap());
    bed.queue.show();
    bed.look();
    assert!(!bed.queue.unmask(3));
    assert!(!bed.use_one(0), "of 2 descriptors that are to be used before");
    assert!(bed.use_one(5), "the fourth descriptor is of this one");
    assert!(bed.queue.unmask(3), "it has come by now");
    bed.queue.mask();
    assert!(!bed.use_one(0));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Give(u32, u16),
    Show,
    Use(usize),
    Take,
    Ask(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (any::<u32>(), 1u16..5).prop_map(|(what, count)| Step::Give(what, count)),
        2 => Just(Step::Show),
        5 => any::<usize>().prop_map(Step::Use),
        5 => Just(Step::Take),
        1 => (0u16..8).prop_map(Step::Ask),
    ]
}

proptest! {
    #[test]
    fn what_is_given_comes_back_once_when_it_was_used(
        power in 2u32..6,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut bed = Bed::new(1 << power);
        // By id, and in the order in which they were used.
        let (mut given, mut used) = (std::collections::BTreeMap::new(), std::collections::VecDeque::new());
        let mut order = std::collections::VecDeque::new();
        let mut asked = None;
        for step in steps {
            match step {
                Step::Give(what, count) => {
                    if bed.give(what, count).is_ok() {
                        order.push_back(what);
                    }
                }
                Step::Show => {
                    bed.queue.show();
                    let known = bed.taken.len();
                    bed.look();
                    for (id, _) in &bed.taken[known..] {
                        prop_assert!(given.insert(*id, order.pop_front().unwrap()).is_none());
                    }
                }
                Step::Use(_) if bed.taken.is_empty() => {}
                Step::Use(choice) => {
                    let (id, count) = bed.taken[choice % bed.taken.len()];
                    let interrupts = bed.use_one(choice);
                    used.push_back(given.remove(&id).unwrap());
                    if let Some(rest) = asked {
                        prop_assert_eq!(interrupts, rest < count);
                        asked = if interrupts { None } else { Some(rest - count) };
                    }
                }
                Step::Take => prop_assert_eq!(bed.queue.take().map(|(what, _)| what), used.pop_front()),
                Step::Ask(spare) => {
                    let happened = bed.queue.unmask(spare.min(bed.queue.owned()));
                    prop_assert!(!happened || !used.is_empty());
                    asked = (!happened && used.is_empty()).then_some(spare.min(bed.queue.owned()));
                }
            }
        }
        prop_assert!(!bed.queue.is_broken());
    }
}
