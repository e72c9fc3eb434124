//! What Intel's controllers do beyond what every card does.

mod address;
mod faults;
mod nodes;
mod requests;
