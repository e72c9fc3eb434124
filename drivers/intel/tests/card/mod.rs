//! What Intel's controllers do beyond what every card does.

mod address;
mod eeprom;
mod faults;
mod nodes;
