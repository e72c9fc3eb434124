//! Where a client is between two leases, and when its lease wants attention.

use smoltcp::time::{Duration, Instant};

use super::lease::Lease;
use super::retry::Retry;
use crate::stack::conflict::Probing;

/// RFC 2131 figure 5. `Checking` is the ARP probe of section 3.1, step 5.
pub enum State {
    /// Without a link, or switched off.
    Stopped,
    /// Servers are asked anew at this time.
    Init { at: Instant },
    /// Who has an address?
    Selecting { retry: Retry },
    /// This one was offered.
    Requesting { offer: Lease, retry: Retry },
    /// Has another host what was leased?
    Checking { lease: Lease, since: Instant, probing: Probing },
    /// Is the former address ours still?
    Rebooting { retry: Retry },
    /// There is a lease, and time.
    Bound,
    /// Its server is asked for more time, and again at this one.
    Renewing { next: Instant },
    /// Any server is.
    Rebinding { next: Instant },
}

/// A lease in use.
pub struct Held {
    /// What was leased.
    pub lease: Lease,
    /// When it was asked for.
    pub since: Instant,
}

impl Held {
    fn after(&self, seconds: u32) -> Option<Instant> {
        (!self.lease.is_for_ever()).then(|| self.since + Duration::from_secs(seconds.into()))
    }

    /// T1; never, for a lease that does not end.
    pub fn renew_at(&self) -> Option<Instant> {
        self.after(self.lease.renew)
    }

    /// T2.
    pub fn rebind_at(&self) -> Option<Instant> {
        self.after(self.lease.rebind)
    }

    /// When it is over.
    pub fn ends_at(&self) -> Option<Instant> {
        self.after(self.lease.duration)
    }
}
