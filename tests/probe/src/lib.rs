//! What both ends of a test's link know: frames that can be told apart, bytes that can be made again, names,
//! and orders of frames.

pub mod data;
pub mod dns;
pub mod order;
pub mod sequence;
