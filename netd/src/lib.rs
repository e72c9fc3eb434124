//! The network stack and the schemes that it serves.

pub mod daemon;
mod link;
mod resolver;
mod schemes;
mod stack;
