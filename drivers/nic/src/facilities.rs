//! What a device can do beside moving frames.

use crate::coalesce::Moderation;
use crate::media::MediaLimits;
use crate::node::Node;
use crate::offloads::OffloadLimits;
use crate::rings::RingLimits;
use crate::rss::RssLimits;

/// What a device has that others have not. By default, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facilities {
    /// The `coalesce` node.
    pub moderation: Moderation,
    /// The `rings` node, where their sizes can be set.
    pub rings: Option<RingLimits>,
    /// Receive queues, where there are several: what each brings is counted.
    pub queues: u8,
    /// The `media` node, where the device can be told what its link is.
    pub media: Option<MediaLimits>,
    /// The `rss` node, where it spreads frames over them as it is told.
    pub rss: Option<RssLimits>,
    /// The `selftest` node.
    pub self_test: bool,
    /// The `eeprom` node.
    pub eeprom: bool,
    /// The `identify` node.
    pub identify: bool,
    /// The `wake` node.
    pub wake: bool,
    /// The `power` node: the function can be powered down. The engine finds that out.
    pub power: bool,
    /// Where its work on frames that are sent ends.
    pub offloads: OffloadLimits,
}

impl Facilities {
    /// Whether the device has something for `node`; `None` for nodes that every device has.
    pub fn supports(&self, node: Node) -> Option<bool> {
        match node {
            Node::Coalesce => Some(self.moderation != Moderation::None),
            Node::Rings => Some(self.rings.is_some()),
            Node::Media => Some(self.media.is_some()),
            Node::Rss => Some(self.rss.is_some()),
            Node::SelfTest => Some(self.self_test),
            Node::Eeprom => Some(self.eeprom),
            Node::Identify => Some(self.identify),
            Node::Wake => Some(self.wake),
            Node::Power => Some(self.power),
            _ => None,
        }
    }
}
