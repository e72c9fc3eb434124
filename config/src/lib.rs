//! The configuration files' types.

pub mod pcid;
