//! Devices that lie to their drivers: in their registers, in their descriptors or virtqueues, and by their interrupts. The
//! drivers' own tests drive the same models.

use std::time::Duration;

use hw::fake::Slot;
use models::driven::Driven;
use models::madness::{self, Madness, Rings};
use models::rig::Rig;
use models::virtio_net::{self as virtio, madness as virtio_madness};
use nic::driver::Fault;

use crate::input::Input;

/// More steps than this tell nothing new.
const MOST_STEPS: usize = 200;

/// Does the next step of so many; the driver may give the device up.
type Step<C> = fn(&mut Rig<C>, usize, usize, &mut Input<'_>) -> Result<(), Fault>;

macro_rules! targets {
    ($($(#[$doc:meta])* $target:ident: $card:ty, $step:path;)+) => {
        $($(#[$doc])*
        pub mod $target {
            /// Attaches the driver to a device that may lie from the start, and does what `data` says until the
            /// driver gives the device up or nothing is left to do. Nothing may be lost, and the device must be quiet
            /// afterwards.
            pub fn run(data: &[u8]) {
                super::run::<$card>(data, $step);
            }
        })+
    };
}

targets! {
    /// An 8254x that lies to its driver.
    e1000: models::intel::e1000::Card, super::descriptors;
    /// An 82574 that lies to its driver.
    e1000e: models::intel::e1000e::Card, super::descriptors;
    /// An 82576 that lies to its driver.
    igb: models::intel::igb::Card, super::descriptors;
    /// An 82599 that lies to its driver.
    ixgbe: models::ixgbe::Ixgbe, super::descriptors;
    /// An RTL8139C+ that lies to its driver.
    rtl8139: models::realtek::rtl8139::Card, super::descriptors;
    /// An RTL8168 that lies to its driver.
    rtl8168: models::realtek::rtl8168::Card, super::descriptors;
    /// A virtio network device that lies to its driver.
    virtio_net: models::virtio_net::VirtioNet, super::virtqueues;
    /// A virtio network device with packed virtqueues that lies to its driver.
    virtio_net_packed: models::virtio_net::Packed, super::virtqueues;
    /// A vmxnet3 that lies to its driver.
    vmxnet3: models::vmxnet3::Vmxnet3, super::descriptors;
}

fn run<C: Driven>(data: &[u8], step: Step<C>) {
    let mut input = Input::new(data);
    let mut model = C::switched_on();
    for _ in 0..input.u8() % 8 {
        model.lies().push_back(input.u32());
    }
    let slot = Slot::new(model);
    let Ok(mut rig) = Rig::attach(slot.clone()) else {
        assert!(!slot.is_bus_master());
        return;
    };
    // Left over from a shorter start than was lied about.
    slot.with(|model, _| model.lies().clear());
    let reader = rig.open_frames();
    for index in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        if step(&mut rig, reader, index, &mut input).is_err() {
            drop(rig);
            assert!(!slot.is_bus_master(), "the driver has ended");
            return;
        }
    }
    slot.with(|model, _| model.recover());
    rig.close(reader);
    rig.pass(Duration::from_secs(10)).expect("the device answers again");
    assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
    assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
}

/// A step of a device of descriptor rings.
fn descriptors<C: Rings>(
    rig: &mut Rig<C>,
    reader: usize,
    index: usize,
    input: &mut Input<'_>,
) -> Result<(), Fault> {
    let step = match input.u8() % 8 {
        kind @ 0..=2 => Madness::Scribble { receive: kind != 2, entry: input.u8().into(), word: input.u64() },
        3 => Madness::Cause(input.u16().into()),
        4 => Madness::Lie(input.u32()),
        5 => Madness::Arrive(usize::from(input.u16() % 1500) + 14),
        6 => Madness::Send(usize::from(input.u16() % 1500) + 14),
        _ => Madness::Wait(u64::from(input.u16()) % 3000),
    };
    madness::act(rig, reader, index, step)
}

/// A step of a virtio device.
fn virtqueues<const PACKED: bool>(
    rig: &mut Rig<virtio::Device<PACKED>>,
    reader: usize,
    index: usize,
    input: &mut Input<'_>,
) -> Result<(), Fault> {
    use virtio_madness::Madness;
    let step = match input.u8() % 12 {
        queue @ 0..=2 => Madness::Scribble(queue.into(), input.u16().into(), input.u16()),
        3 => Madness::Lie(input.u32()),
        4 => Madness::Length(Some(input.u32())),
        5 => Madness::Length(None),
        6 => Madness::Header([input.u8(), input.u8()], Some(input.u16())),
        7 => Madness::Interrupt,
        8 => Madness::Fail,
        9 => Madness::Arrive(usize::from(input.u16() % 1500) + 14),
        10 => Madness::Send(usize::from(input.u16() % 1500) + 14),
        _ => Madness::Wait(u64::from(input.u16()) % 3000),
    };
    virtio_madness::act(rig, reader, index, step)
}
