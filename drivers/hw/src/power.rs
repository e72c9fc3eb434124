//! The power states of a function (PCI Bus Power Management Interface Specification 1.2).

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::io;
use std::thread;
use std::time::Duration;

use pci_types::{ConfigRegionAccess, PciAddress};

use crate::Error;
use crate::capabilities::walk;

/// The capability's id (section 3.2.1), and that of PCI Express.
const POWER_MANAGEMENT: u8 = 0x01;
const PCI_EXPRESS: u8 = 0x10;

/// Where PMCSR stands in the capability (section 3.2.4).
const PMCSR: u16 = 4;

/// PMCSR: D0 and D3hot as its state.
const STATE: u32 = 0b11;
const D0: u32 = 0b00;
const D3HOT: u32 = 0b11;

/// PMCSR: the function may raise PME.
const PME_EN: u32 = 1 << 8;

/// PMCSR: it has done so; writing 1 clears it.
const PME_STATUS: u32 = 1 << 15;

/// The lower half of a word in configuration space: a control register, beside whose status register zeros are written,
/// which leaves it as it is.
const CONTROL: u32 = 0xffff;

/// How long nothing is asked of a function that returns to D0 (table 5-6).
const RECOVERY: Duration = Duration::from_millis(10);

/// The command register, which opens the BARs.
const COMMAND: u16 = 0x04;

/// What of the predefined header a function may lose that returns from D3hot: cache line size and latency, its BARs, those
/// of its ROM, its interrupt line.
const HEADER: [u16; 9] = [0x0c, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30, 0x3c];

/// What it may lose of PCI Express: device and link control (PCI Express Base Specification 3.0, section 7.8).
const EXPRESS: [u16; 2] = [0x08, 0x10];

/// A word of configuration space: its offset, which of its bits are kept, and what they were.
type Word = (u16, u32, u32);

/// Whether a function is powered down, as all know it who would reach its registers.
#[derive(Default)]
pub struct Power {
    is_down: Cell<bool>,
    /// What its configuration space held before.
    kept: RefCell<Vec<Word>>,
}

impl Power {
    /// The function is in D3hot, or on its way there or back: its registers do not answer, and on Linux touching them
    /// would end the process.
    pub(crate) fn is_down(&self) -> bool {
        self.is_down.get()
    }

    /// Brings the quiet function at `location` to D3hot, in which it may signal PME if it might before.
    pub(crate) fn down<C: ConfigRegionAccess>(&self, config: &C, location: PciAddress) -> Result<(), Error> {
        if self.is_down() {
            return Ok(());
        }
        let failed = Error::system(format!("power PCI function {location} down"));
        let Some(pmcsr) = pmcsr(config, location) else {
            return Err(failed(io::Error::from(io::ErrorKind::Unsupported)));
        };
        *self.kept.borrow_mut() = words(config, location);
        self.is_down.set(true);
        let enabled = read(config, location, pmcsr) & PME_EN;
        let state = set_state(config, location, pmcsr, D3HOT | enabled);
        self.is_down.set(state != D0);
        if state == D3HOT { Ok(()) } else { Err(failed(io::Error::other(refused(state)))) }
    }

    /// Brings a function to D0 that a driver which was killed has left down. What it loses by that is as in `words`.
    pub(crate) fn take_over<C: ConfigRegionAccess>(
        &self,
        config: &C,
        location: PciAddress,
        words: impl IntoIterator<Item = (u16, u32)>,
    ) -> Result<(), Error> {
        let Some(pmcsr) = pmcsr(config, location) else { return Ok(()) };
        if read(config, location, pmcsr) & STATE == D0 {
            return Ok(());
        }
        let words = words.into_iter().map(|(offset, value)| (offset, u32::MAX, value));
        *self.kept.borrow_mut() = words.collect();
        self.is_down.set(true);
        self.up(config, location)
    }

    /// Brings the function at `location` back to D0, where its configuration space is what it was. All else may be as
    /// after a reset.
    pub(crate) fn up<C: ConfigRegionAccess>(&self, config: &C, location: PciAddress) -> Result<(), Error> {
        if !self.is_down() {
            return Ok(());
        }
        let failed = Error::system(format!("power PCI function {location} up"));
        let Some(pmcsr) = pmcsr(config, location) else {
            return Err(failed(io::Error::from(io::ErrorKind::NotFound)));
        };
        let state = set_state(config, location, pmcsr, D0);
        if state != D0 {
            return Err(failed(io::Error::other(refused(state))));
        }
        thread::sleep(RECOVERY);
        for (offset, bits, value) in self.kept.take() {
            if read(config, location, offset) & bits != value {
                write(config, location, offset, value);
            }
        }
        self.is_down.set(false);
        Ok(())
    }
}

/// Whether the function at `location` can be powered down.
pub(crate) fn is_managed<C: ConfigRegionAccess>(config: &C, location: PciAddress) -> bool {
    pmcsr(config, location).is_some()
}

fn refused(state: u32) -> String {
    format!("it is in state D{state}")
}

/// Where PMCSR is.
fn pmcsr<C: ConfigRegionAccess>(config: &C, location: PciAddress) -> Option<u16> {
    let capability = walk(config, location).find(|capability| capability.id == POWER_MANAGEMENT)?;
    Some(capability.offset + PMCSR).filter(|offset| *offset < 0x100)
}

/// Has the function at `location` signal PME, where it can, or no longer.
pub(crate) fn enable_wake<C: ConfigRegionAccess>(config: &C, location: PciAddress, on: bool) {
    if let Some(pmcsr) = pmcsr(config, location) {
        let state = read(config, location, pmcsr) & STATE;
        set_state(config, location, pmcsr, state | if on { PME_EN } else { 0 });
    }
}

/// Writes the state, with PME enabled or not; the one that the function has then.
fn set_state<C: ConfigRegionAccess>(config: &C, location: PciAddress, pmcsr: u16, state: u32) -> u32 {
    let before = read(config, location, pmcsr) & CONTROL & !(STATE | PME_EN);
    write(config, location, pmcsr, before | state | PME_STATUS);
    read(config, location, pmcsr) & STATE
}

/// What the function could lose. The command register comes last, when the BARs that it opens are as they were.
fn words<C: ConfigRegionAccess>(config: &C, location: PciAddress) -> Vec<Word> {
    let express = walk(config, location).filter(|capability| capability.id == PCI_EXPRESS);
    let express =
        express.flat_map(|capability| EXPRESS.map(|distance| (capability.offset + distance, CONTROL)));
    let header = HEADER.map(|offset| (offset, u32::MAX));
    let places = header.into_iter().chain(express).chain([(COMMAND, CONTROL)]);
    let places = places.filter(|(offset, _)| *offset < 0x100);
    places.map(|(offset, bits)| (offset, bits, read(config, location, offset) & bits)).collect()
}

fn read<C: ConfigRegionAccess>(config: &C, location: PciAddress, offset: u16) -> u32 {
    // SAFETY: the offset is a multiple of 4 inside the 256 bytes that every function has, and reading configuration space
    // has no side effect there.
    unsafe { config.read(location, offset) }
}

fn write<C: ConfigRegionAccess>(config: &C, location: PciAddress, offset: u16, value: u32) {
    // SAFETY: as for reading; what is written is a power state, or what stood there before.
    unsafe { config.write(location, offset, value) }
}
