//! What every network card driver shares: the [`Nic`] trait, frames and their buffers, statistics, and the
//! daemon that drives a card and serves it as a `network` scheme.
//!
//! Two parts that know nothing of each other meet in a [`Port`](port::Port): the [`Engine`](engine::Engine)
//! drives the device, the [`NetworkScheme`](serve::NetworkScheme) answers requests. They exchange frames through
//! queues and everything else through settings and status, so that they can become two processes.

mod arguments;
pub mod attributes;
mod binding;
pub mod buffer;
pub mod capture;
pub mod coalesce;
pub mod daemon;
pub mod driver;
pub mod engine;
pub mod facilities;
mod features;
pub mod frame;
pub mod mac;
pub mod media;
pub mod memory;
pub mod node;
mod offloads;
mod outgoing;
mod packet;
pub mod port;
mod rate_limit;
mod regulator;
pub mod requests;
pub mod ring;
pub mod rings;
pub mod rss;
pub mod segments;
pub mod serve;
pub mod statistics;
mod storm;
mod stream;
pub mod streams;
pub mod taps;
mod turns;
pub mod wake;

pub use buffer::{Buffer, Pool};
pub use coalesce::{Coalesce, Intervals, Moderation};
pub use driver::{Causes, DriverInfo, Fault, Filter, Link, Nic, NicInfo, Settings};
pub use facilities::Facilities;
pub use features::Features;
pub use frame::{Checksum, Class, Form, Frame, Metadata, Segments};
pub use mac::MacAddress;
pub use media::{Media, MediaLimits};
pub use memory::{Memory, Pools};
pub use offloads::OffloadLimits;
pub use rings::{RingLimits, Rings, Step};
pub use rss::{Hashes, Rss, RssLimits};
pub use scheme::{vlan, vnet};
pub use statistics::Statistics;
pub use turns::Turns;
pub use wake::Wake;
