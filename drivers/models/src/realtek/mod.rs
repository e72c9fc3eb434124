//! Controllers of Realtek's.

pub mod chip;
pub mod classic;
pub mod rtl8139;
pub mod rtl8168;
