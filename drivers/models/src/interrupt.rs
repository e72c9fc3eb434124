//! The interrupt of a device that has one, whose causes stand in a register.

use hw::fake::Bus;

/// The interrupt, by the line or by a message.
#[derive(Default)]
pub struct Interrupt {
    /// The causes that it was raised for already.
    told: u32,
}

impl Interrupt {
    /// A line is up while there is a cause. A message is sent for each that comes. One that is `stuck` is always up.
    pub fn drive(&mut self, bus: &mut Bus, asserted: u32, stuck: bool) {
        if asserted & !self.told != 0 || stuck {
            bus.raise(0);
        } else if asserted == 0 {
            bus.lower();
        }
        self.told = asserted;
    }
}
