//! Gives unmodified Linux programs netd's sockets: `LD_PRELOAD=libpreload.so curl http://peer.test/`.
//!
//! Each socket call of the C library becomes the scheme operations that Redox's C library, relibc, would issue for
//! it (`relibc/src/platform/redox/socket.rs`): its contract with a network stack is what these programs exercise,
//! its gaps included. There is no state: what is no socket of the kernel's is asked for its path. Descriptors are the
//! kernel's, so `read`, `poll`, `epoll`, `fcntl` and `close` need nothing from here.
//!
//! This is equipment of the tests. It stands between C programs and the C library, so it is full of `unsafe`: that
//! C's pointers mean what the C library's manual says is up to the program.

#![cfg(target_os = "linux")]

mod address;
mod calls;
mod message;
mod names;
mod numbered;
mod options;
mod socket;
