//! What both ends of a test's link know: frames that can be told apart, and bytes that can be made again.

pub mod data;
pub mod sequence;
