//! A function that loses what it held when it returns from D3hot.

use super::*;

/// Its configuration space, and what the header is after a reset: nothing.
struct Space {
    bytes: RefCell<[u8; 256]>,
    /// It keeps what it held (No_Soft_Reset).
    keeps: bool,
    /// It never leaves D0.
    stubborn: bool,
}

/// Power management at 0x40, PCI Express at 0x50.
fn space() -> Space {
    let mut bytes = [0; 256];
    bytes[0x06] = 0x10;
    bytes[0x34] = 0x40;
    bytes[0x40..0x42].copy_from_slice(&[POWER_MANAGEMENT, 0x50]);
    bytes[0x50] = PCI_EXPRESS;
    bytes[0x04] = 0x02;
    bytes[0x10..0x14].copy_from_slice(&0xfeb0_0000_u32.to_le_bytes());
    bytes[0x3c] = 11;
    bytes[0x58] = 0x30;
    Space { bytes: RefCell::new(bytes), keeps: false, stubborn: false }
}

impl Space {
    fn word(&self, offset: u16) -> u32 {
        read(self, PciAddress::default(), offset)
    }
}

impl ConfigRegionAccess for Space {
    unsafe fn read(&self, _address: PciAddress, offset: u16) -> u32 {
        let bytes = self.bytes.borrow();
        u32::from_le_bytes(*bytes[usize::from(offset)..].first_chunk().unwrap())
    }

    unsafe fn write(&self, _address: PciAddress, offset: u16, value: u32) {
        let mut bytes = self.bytes.borrow_mut();
        let mut value = value;
        if offset == 0x44 {
            let before = u32::from(bytes[0x44]) & STATE;
            // PME_Status is cleared by writing 1.
            value &= !PME_STATUS;
            if self.stubborn {
                value &= !STATE;
            }
            if before == D3HOT && value & STATE == D0 && !self.keeps {
                bytes[0x04] = 0;
                bytes[0x10..0x40].fill(0);
                bytes[0x34] = 0x40;
                bytes[0x58] = 0;
            }
        }
        // Ones clear status bits.
        let width = if [0x04, 0x58].contains(&offset) { 2 } else { 4 };
        bytes[usize::from(offset)..][..width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

#[test]
fn what_a_function_loses_on_its_way_back_is_restored() {
    for keeps in [false, true] {
        let (space, location, power) = (Space { keeps, ..space() }, PciAddress::default(), Power::default());
        let before = *space.bytes.borrow();
        power.down(&space, location).unwrap();
        assert_eq!((power.is_down(), space.word(0x44)), (true, D3HOT));
        power.up(&space, location).unwrap();
        assert_eq!((power.is_down(), *space.bytes.borrow()), (false, before));
    }
}

#[test]
fn a_function_is_armed_for_as_long_as_it_is_down() {
    let (space, location, power) = (space(), PciAddress::default(), Power::default());
    enable_wake(&space, location, true);
    power.down(&space, location).unwrap();
    assert_eq!(space.word(0x44), PME_EN | D3HOT);
    power.up(&space, location).unwrap();
    assert_eq!(space.word(0x44), D0);
}

#[test]
fn one_that_a_killed_driver_has_left_down_is_taken_over_with_its_bars() {
    let (space, location) = (space(), PciAddress::default());
    let before = *space.bytes.borrow();
    Power::default().down(&space, location).unwrap();
    let power = Power::default();
    power.take_over(&space, location, [(0x10, 0xfeb0_0000), (0x04, 0x02)]).unwrap();
    assert!(!power.is_down());
    assert_eq!((space.word(0x44), space.word(0x10), space.word(0x04) & CONTROL), (D0, 0xfeb0_0000, 0x02));

    *space.bytes.borrow_mut() = before;
    power.take_over(&space, location, [(0x10, 0)]).unwrap();
    assert_eq!(*space.bytes.borrow(), before, "one that is up is left alone");
}

#[test]
fn one_that_stays_in_d0_is_not_taken_for_powered_down() {
    let (space, location, power) =
        (Space { stubborn: true, ..space() }, PciAddress::default(), Power::default());
    let error = power.down(&space, location).unwrap_err().to_string();
    assert_eq!(error, "cannot power PCI function 0000:00:00.0 down: it is in state D0");
    assert!(!power.is_down());
}

#[test]
fn without_the_capability_nothing_is_written() {
    let (space, location, power) = (space(), PciAddress::default(), Power::default());
    space.bytes.borrow_mut()[0x40] = 0x09;
    let before = *space.bytes.borrow();
    assert!(!is_managed(&space, location) && power.down(&space, location).is_err());
    assert_eq!((power.is_down(), *space.bytes.borrow()), (false, before));
}
