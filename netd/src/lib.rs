//! The network stack and the schemes that it serves.

pub mod daemon;
mod intent;
mod link;
mod memory;
mod resolver;
#[cfg(not(feature = "internals"))]
mod schemes;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod schemes;
#[cfg(not(feature = "internals"))]
mod stack;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod stack;
