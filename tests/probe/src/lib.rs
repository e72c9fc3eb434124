//! What both ends of a test's link know: frames that can be told apart, bytes that can be made again, and names.

pub mod data;
pub mod dns;
pub mod sequence;
