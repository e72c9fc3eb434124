//! The configuration files' types, the capture filter's language, and questions to name servers.

pub mod dns;
mod document;
pub mod filter;
pub mod netd;
pub mod pcid;
