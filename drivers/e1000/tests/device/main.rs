//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the rig's helpers are tests, too")]

mod faults;
mod filters;
mod frames;
mod life;
mod madness;
mod model;
mod nodes;
mod rig;
