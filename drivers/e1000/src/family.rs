//! What is the 8254x's own.

use hw::{InterruptKind, Registers};
use intel::descriptors::{ExtendedTransmit, LegacyReceive};
use intel::registers::{self as reg, Ctrl};
use intel::{Chip, Family, family};
use nic::{DriverInfo, Features};

/// What fits a frame of 16128 bytes, the most that the 8254x take (RCTL.LPE), with header and FCS.
const JUMBO: usize = 16_110;

/// The 8254x.
pub struct E1000;

impl Family for E1000 {
    const DRIVER: DriverInfo = family::driver("e1000", "e1000d", &[InterruptKind::Intx]);

    /// The 82540EM, 82544GC and 82545EM are tested in QEMU. The 82543GC is untested: it is here because Redox's own
    /// driver lists it, and speaks the same registers and descriptors; no driver is known to have it make segments.
    const CHIPS: &'static [Chip] = &[
        Chip::new(0x1004, "82543GC").without(Features::TX_SEGMENTS).without_led_control().without_wake(),
        Chip::jumbo(0x100c, "82544GC", JUMBO).without_led_control(),
        Chip::jumbo(0x100e, "82540EM", JUMBO),
        Chip::jumbo(0x100f, "82545EM", JUMBO),
    ];

    /// Nobody has the 8254x make segments over IPv6, and QEMU's gives them the wrong length.
    const FEATURES: Features = family::FEATURES.difference(Features::TX_SEGMENTS_V6);

    type Receive = LegacyReceive;
    type Transmit = ExtendedTransmit;

    const DUMP: &'static [(&'static str, usize)] = &[("ITR", reg::ITR), ("RDTR", reg::RDTR)];

    const CTRL_CLEAR: Ctrl = Ctrl::NEGOTIATED_CLEAR.union(Ctrl::LRST).union(Ctrl::ILOS);

    fn set_up(registers: &impl Registers, _kind: InterruptKind) {
        family::set_gaps_and_delays(registers);
    }
}
