//! The driver against a model of a predecessor of the C+.

#![allow(clippy::expect_used, clippy::panic, reason = "the stories' helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
mod faults;
#[path = "../../../nic/tests/card/random.rs"]
mod random;

use models::realtek::classic as model;
