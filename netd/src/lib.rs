//! The network stack and the schemes that it serves.

pub mod daemon;
mod intent;
mod link;
mod resolver;
mod schemes;
#[cfg(not(feature = "fuzzing"))]
mod stack;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod stack;
