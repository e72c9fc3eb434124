//! What a driver costs, without the engine around it and without the device behind it: `./x bench nic` has callgrind count
//! the instructions within [`counted`], less those of the model behind a register.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use hw::PciFunction;
use hw::fake::{Function, Slot};
use nic::port::Port;
use nic::{Frame, Memory, Nic, Pools, Rings};

use crate::driven::Driven;

/// Frames that pass in a case.
const FRAMES: usize = 4096;

/// Frames that pass at once, and their lengths in bytes, without FCS.
const BATCHES: [usize; 4] = [1, 8, 32, 256];
const LENGTHS: [usize; 2] = [64, 1514];

/// Entries of the rings, where the device takes as many: more than a batch.
const ENTRIES: u16 = 512;

/// Passes one batch of frames, of so many bytes.
type Pass<C> = fn(&mut Bed<C>, usize, &[u8]);

/// Passes frames in each case that fits into the rings, and says on a line what was done in it: the case, the length, the
/// batch, all frames and all register accesses.
pub fn measure<C: Driven>() {
    measure_as::<C>("");
}

/// The same of a device that is another kind of one that was measured; `kind` stands behind the names of its cases.
pub fn measure_as<C: Driven>(kind: &str) {
    let cases: [(_, Pass<C>); 3] =
        [("receive", Bed::receive), ("transmit", Bed::transmit), ("forward", Bed::forward)];
    for (name, pass) in cases {
        for length in LENGTHS {
            for batch in BATCHES {
                let mut bed = Bed::new();
                if batch <= bed.most() {
                    bed.measure(&format!("{name}{kind}"), pass, batch, length);
                }
            }
        }
    }
}

/// A driver that polls its device.
struct Bed<C: Driven> {
    slot: Slot<C>,
    nic: C::Driver,
    pools: Pools,
    rings: Rings,
    to_send: VecDeque<Frame>,
    received: Vec<Frame>,
    sent: Vec<Frame>,
    /// Held for the device to be reached.
    _function: Function<C>,
}

impl<C: Driven> Bed<C> {
    fn new() -> Self {
        let slot = Slot::new(C::switched_on());
        let mut function = slot.claim();
        let driver = C::Driver::DRIVER;
        let memory = Memory::new(&mut function, &driver, driver.rings).expect("there is memory");
        let mut nic = C::attach(&mut function, memory).expect("the driver takes its device");
        let info = nic.info().clone();
        let limits = info.facilities.rings.expect("every device has rings");
        let entries = |most: u16| most.min(ENTRIES);
        let rings = Rings { receive: entries(limits.most.receive), transmit: entries(limits.most.transmit) };
        let memory = Memory::new(&mut function, &driver, rings).expect("there is memory");
        let pools = memory.pools.clone();
        nic.set_rings(memory).expect("the driver takes other rings");
        let link = nic.link().expect("the device is there");
        let settings = Port::new(info, pools.clone(), link, Instant::now()).borrow().settings.clone();
        let interrupt = function.interrupt(driver.interrupts).expect("the device has an interrupt");
        function.set_bus_master(true).expect("the device can master the bus");
        nic.start(&settings, hw::Interrupt::kind(&interrupt)).expect("the device starts");
        nic.take_causes().expect("the device is there");
        Self {
            slot,
            nic,
            pools,
            rings,
            to_send: VecDeque::new(),
            received: Vec::new(),
            sent: Vec::new(),
            _function: function,
        }
    }

    /// The most frames that fit into both rings.
    fn most(&self) -> usize {
        usize::from(self.rings.receive.min(self.rings.transmit)) - 1
    }

    fn measure(&mut self, name: &str, pass: Pass<C>, batch: usize, length: usize) {
        let mut bytes = vec![0; length];
        bytes[..6].copy_from_slice(&C::MAC);
        // The first round finds vectors without room, and caches of the driver's own.
        pass(self, batch, &bytes);
        begin();
        let before = self.slot.accesses();
        for _ in 0..FRAMES / batch {
            pass(self, batch, &bytes);
        }
        let accesses = self.slot.accesses() - before;
        end();
        println!("{name} {length} {batch} {FRAMES} {accesses}");
    }

    /// Frames arrive on the wire.
    fn arrive(&mut self, batch: usize, bytes: &[u8]) {
        for _ in 0..batch {
            self.slot.with(|model, bus| model.comes(bus, bytes));
        }
    }

    /// The wire has taken the batch.
    fn left(&mut self, batch: usize) {
        let sent = self.slot.with(|model, _| model.take_sent());
        assert_eq!(sent.len(), batch, "the device has sent what it was given");
    }

    fn receive(&mut self, batch: usize, bytes: &[u8]) {
        self.arrive(batch, bytes);
        let mut count = 0;
        counted(&mut || {
            self.nic.receive(batch, &mut self.received);
            count = self.received.len();
            self.received.clear();
        });
        assert_eq!(count, batch, "the device has received what came");
    }

    fn transmit(&mut self, batch: usize, bytes: &[u8]) {
        // The pool for received frames is the greater one.
        let frame = || Frame::from_bytes(&self.pools.receive, bytes).expect("there are buffers");
        self.to_send.extend(std::iter::repeat_with(frame).take(batch));
        counted(&mut || {
            self.nic.transmit(&mut self.to_send);
            self.nic.reclaim(&mut self.sent);
            self.sent.clear();
        });
        self.left(batch);
    }

    /// What was received is to be sent.
    fn hand_over(&mut self) {
        let room = Vec::from(std::mem::take(&mut self.to_send));
        self.to_send = std::mem::replace(&mut self.received, room).into();
    }

    fn forward(&mut self, batch: usize, bytes: &[u8]) {
        self.arrive(batch, bytes);
        counted(&mut || {
            self.nic.receive(batch, &mut self.received);
            self.hand_over();
            self.nic.transmit(&mut self.to_send);
            self.nic.reclaim(&mut self.sent);
            self.sent.clear();
        });
        self.left(batch);
    }
}

/// What is measured, where instructions are counted.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    black_box(work)();
}

/// A case begins: what was counted so far is forgotten. Unlike [`end`] inside, lest the compiler make one of the two.
#[inline(never)]
fn begin() {
    black_box("begin");
}

/// A case has ended: what was counted is written down.
#[inline(never)]
fn end() {
    black_box("end");
}
