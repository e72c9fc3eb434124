//! When an interface has something to do.

use smoltcp::time::Instant;

use super::{Interface, Link};
use crate::stack::earlier;

impl Interface {
    /// When its timers, or its loopback packets, are due. None is due that could send nothing.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let Link::Ethernet { neighbours, dhcp, igmp, .. } = &self.link else {
            return (!self.queue.is_empty()).then_some(now);
        };
        if self.room() == 0 {
            return None;
        }
        let lease = dhcp.as_ref().and_then(|dhcp| dhcp.deadline(now));
        let ipv6 = self.ipv6.as_ref().and_then(|ipv6| ipv6.deadline(now));
        let due = [neighbours.deadline(), lease, igmp.deadline(), ipv6];
        due.into_iter().fold(self.claims.deadline(), earlier)
    }

    /// Whether any of that is due.
    pub fn is_due(&self, now: Instant) -> bool {
        self.deadline(now).is_some_and(|at| at <= now)
    }
}
