//! The schemes: thin over the stack, each in its file, with what they share in `socket_scheme`.

mod address;
mod errno;
pub mod icmp;
pub mod ip;
mod message;
pub mod netcfg;
mod option;
pub mod socket_scheme;
pub mod tcp;
pub mod udp;

#[cfg(test)]
mod tests;
