//! The configuration files' types.

mod document;
pub mod netd;
pub mod pcid;
