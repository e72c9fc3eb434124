//! The Nic trait, frames and their metadata, statistics, and the daemon around a Nic.
