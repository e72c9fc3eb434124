//! A tap interface of several queues, which devices have several queues for: QEMU holds all its ends.

use super::{ADDRESS, GUEST, GUEST_MAC, INTERFACE, Namespace};
use crate::Result;
use crate::nic::{Link, Nic};

/// The interface, in a network of its own in which nothing else speaks.
#[derive(Debug)]
pub struct QueuedTap {
    namespace: Namespace,
    queues: u16,
}

impl QueuedTap {
    /// Makes one; [`GUEST_MAC`] is the neighbour [`GUEST`] of [`ADDRESS`].
    ///
    /// # Errors
    /// The kernel forbids namespaces or tap interfaces, or a program is missing.
    pub fn new(queues: u16) -> Result<Self> {
        let namespace = Namespace::new()?;
        let address = format!("{ADDRESS}/24");
        let guest = GUEST.to_string();
        for arguments in [
            &["tuntap", "add", "dev", INTERFACE, "mode", "tap", "multi_queue"][..],
            // IPv6 would announce itself.
            &["link", "set", "dev", INTERFACE, "addrgenmode", "none"],
            &["address", "add", &address, "dev", INTERFACE],
            &["link", "set", "dev", INTERFACE, "up"],
            &["neighbour", "add", &guest, "lladdr", GUEST_MAC, "dev", INTERFACE],
        ] {
            namespace.run("ip", arguments)?;
        }
        Ok(Self { namespace, queues })
    }

    /// A device of this model that is connected to it.
    pub fn nic(&self, model: &str) -> Nic {
        let (interface, network) = (INTERFACE.to_owned(), self.namespace.path());
        Nic { model: model.to_owned(), link: Link::Queues { interface, count: self.queues, network } }
    }

    /// The network that it is in.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}
