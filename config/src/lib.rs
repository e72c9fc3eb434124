//! The configuration files' types, and the capture filter's language.

mod document;
pub mod filter;
pub mod netd;
pub mod pcid;
