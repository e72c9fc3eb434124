//! How a device is reset, and what it is told before its rings are used.

use hw::{InterruptKind, Registers};
use intel::Chip;
use intel::advanced::{ADVANCED_ONE_BUFFER, Srrctl};
use intel::wake;
use nic::Fault;
use nic::buffer::CAPACITY;

use crate::chips::Generation;
use crate::registers::{
    self as reg, Allocation, Autoc, Ctrl, CtrlExt, Dmatxctl, Eec, Gpie, Hlreg0, Interrupts, IvarMisc,
    Mcstctrl, Rdrxctl, Status, TRANSMIT, receive_ring, srrctl,
};
use crate::spread::{self, QUEUES};

/// Reads of a register until a device has done what it was told: some milliseconds, a read takes at least half a
/// microsecond.
const PATIENCE: u32 = 20_000;

/// The device is there.
pub fn present(registers: &impl Registers) -> Result<(), Fault> {
    if registers.read32(reg::STATUS) == u32::MAX { Err(Fault::Gone) } else { Ok(()) }
}

/// Stops both directions and all interrupts. The read makes sure that the writes have arrived.
pub fn quiet(registers: &impl Registers) {
    registers.write32(reg::EIMC, u32::MAX);
    registers.write32(reg::RXCTRL, 0);
    for queue in 0..u16::from(QUEUES) {
        registers.write32(receive_ring(queue).control(), 0);
    }
    registers.write32(TRANSMIT.control(), 0);
    registers.write32(reg::DMATXCTL, 0);
    let extended = CtrlExt::from_bits_retain(registers.read32(reg::CTRL_EXT));
    registers.write32(reg::CTRL_EXT, (extended - CtrlExt::DRV_LOAD).bits());
    registers.read32(reg::STATUS);
}

/// Resets the device (4.2.1.6 and 5.2.5.3.2), after which it is quiet.
pub fn reset(registers: &impl Registers, generation: Generation, chip: &Chip) -> Result<(), Fault> {
    present(registers)?;
    quiet(registers);
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl | Ctrl::MASTER_DISABLE).bits());
    // What does not end its accesses to memory is reset all the same.
    let _ = wait(registers, reg::STATUS, "", |status| {
        !Status::from_bits_retain(status).contains(Status::MASTER_ENABLE)
    });
    registers.write32(reg::CTRL, (ctrl | Ctrl::RST).bits());
    std::thread::sleep(chip.reset_time);
    wait(registers, reg::CTRL, "its reset", |ctrl| !Ctrl::from_bits_retain(ctrl).contains(Ctrl::RST))?;
    wait(registers, reg::EEC, "reading its EEPROM", |eec| Eec::from_bits_retain(eec).contains(Eec::AUTO_RD))?;
    wait(registers, reg::RDRXCTL, "its DMA's start", |control| {
        Rdrxctl::from_bits_retain(control).contains(Rdrxctl::DMAIDONE)
    })?;
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl - Ctrl::MASTER_DISABLE).bits());
    quiet(registers);
    // Causes from before the reset are nobody's.
    registers.write32(reg::EICR, u32::MAX);
    wake::disarm(registers);
    if generation == Generation::Serial {
        negotiate(registers);
    }
    Ok(())
}

/// Tells the device, which was reset, how it shall work, with interrupts of this kind (4.6.3 to 4.6.8).
pub fn set_up(registers: &impl Registers, kind: InterruptKind) {
    let mut extended = CtrlExt::from_bits_retain(registers.read32(reg::CTRL_EXT));
    extended.insert(CtrlExt::NS_DIS | CtrlExt::DRV_LOAD);
    registers.write32(reg::CTRL_EXT, extended.bits());
    let buffers = Srrctl::new()
        .with_bsizepacket((CAPACITY / 1024) as u8)
        .with_desctype(ADVANCED_ONE_BUFFER)
        .with_drop_en_ten(true);
    for queue in 0..u16::from(QUEUES) {
        registers.write32(srrctl(receive_ring(queue)), buffers.into());
    }
    registers.write32(reg::RQSMR0, u32::from_le_bytes([0, 1, 2, 3]));
    spread::begin(registers);
    let mut receive = Rdrxctl::from_bits_retain(registers.read32(reg::RDRXCTL));
    receive.insert(Rdrxctl::CRC_STRIP | Rdrxctl::RSCACKC | Rdrxctl::FCOE_WRFIX);
    registers.write32(reg::RDRXCTL, receive.bits());
    registers.write32(reg::MCSTCTRL, Mcstctrl::MFE.bits());
    let mut mac = Hlreg0::from_bits_retain(registers.read32(reg::HLREG0));
    mac.insert(Hlreg0::TXCRCEN | Hlreg0::RXCRCSTRP | Hlreg0::TXPADEN | Hlreg0::JUMBOEN);
    registers.write32(reg::HLREG0, mac.bits());
    let has_vectors = matches!(kind, InterruptKind::MsiX { .. });
    let gpie = if has_vectors { Gpie::MULTIPLE_MSIX | Gpie::PBA_SUPPORT } else { Gpie::empty() };
    registers.write32(reg::GPIE, gpie.bits());
    registers.write32(reg::IVAR_MISC, IvarMisc::new().with_other_valid(has_vectors).into());
    registers.write32(reg::DMATXCTL, Dmatxctl::TE.bits());
}

/// Has the device tell of received frames, and of sent ones if so `wanted`, with interrupts of this kind. What is not
/// received is told by vector 0.
pub fn allocate_causes(registers: &impl Registers, kind: InterruptKind, wanted: bool) {
    let has_vectors = matches!(kind, InterruptKind::MsiX { .. });
    let received = |queue: u16| {
        let vector = if has_vectors { queue % kind.vectors() } else { bit(Interrupts::RECEIVE) };
        Allocation::new().with_cause(vector as u8).with_valid(true)
    };
    let cause = if has_vectors { 0 } else { bit(Interrupts::TRANSMIT) };
    let sent = Allocation::new().with_cause(cause as u8).with_valid(wanted);
    for pair in 0..u16::from(QUEUES) / 2 {
        let sent = if pair == 0 { sent } else { Allocation::new() };
        let causes = [received(2 * pair), sent, received(2 * pair + 1), Allocation::new()];
        registers.write32(reg::ivar(pair), u32::from_le_bytes(causes.map(u8::from)));
    }
}

/// The number of the bit of one cause.
fn bit(cause: Interrupts) -> u16 {
    cause.bits().trailing_zeros() as u16
}

/// Has a device without a PHY look for its partner.
fn negotiate(registers: &impl Registers) {
    let control = Autoc::from_bits_retain(registers.read32(reg::AUTOC));
    registers.write32(reg::AUTOC, (control | Autoc::RESTART_AN).bits());
}

/// Waits until `register` is as it shall be.
fn wait(
    registers: &impl Registers,
    register: usize,
    what: &'static str,
    is_done: impl Fn(u32) -> bool,
) -> Result<(), Fault> {
    for _ in 0..PATIENCE {
        match registers.read32(register) {
            u32::MAX => break,
            value if is_done(value) => return Ok(()),
            _ => {}
        }
    }
    present(registers)?;
    Err(Fault::Hung(what))
}
