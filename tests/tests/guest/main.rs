//! The integration tests, each a story in a guest of its own. They need QEMU and more, which `./x test guest` sees
//! to: a plain `cargo test` tells them as ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what must not be ends the test")]

mod command;
