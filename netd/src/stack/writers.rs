//! Writers who wait until an interface has room for their packets.

use std::collections::HashMap;
use std::hash::Hash;

use super::error::SocketError;
use super::network::Network;
use super::routes::InterfaceId;

/// The sockets of one protocol whose last write found no room.
#[derive(Debug)]
pub struct Writers<Id> {
    /// Where they found none, and for how many packets.
    waiting: HashMap<Id, (InterfaceId, usize)>,
}

impl<Id> Default for Writers<Id> {
    fn default() -> Self {
        Self { waiting: HashMap::new() }
    }
}

impl<Id: Copy + Eq + Hash> Writers<Id> {
    /// Whether `interface` takes so many `packets` now. If not, with `WouldBlock`, the socket waits for it.
    pub fn ask(
        &mut self,
        id: Id,
        interface: InterfaceId,
        packets: usize,
        network: &Network,
    ) -> Result<(), SocketError> {
        if network.is_full(interface, packets) {
            self.waiting.insert(id, (interface, packets));
            return Err(SocketError::WouldBlock);
        }
        Ok(())
    }

    /// Whether a socket waits.
    pub fn waits(&self, id: Id) -> bool {
        self.waiting.contains_key(&id)
    }

    /// A socket was closed.
    pub fn forget(&mut self, id: Id) {
        self.waiting.remove(&id);
    }

    /// Whether somebody who waits need not any more.
    pub fn is_due(&self, network: &Network) -> bool {
        self.waiting.values().any(|(interface, packets)| !network.is_full(*interface, *packets))
    }

    /// Those who need not wait any more.
    pub fn take_woken(&mut self, network: &Network) -> Vec<Id> {
        let has_room =
            |_: &Id, (interface, packets): &mut (InterfaceId, usize)| !network.is_full(*interface, *packets);
        self.waiting.extract_if(has_room).map(|(id, _)| id).collect()
    }
}
