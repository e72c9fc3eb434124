//! The multicast groups that a socket is in: it gets what is sent to these, and to no others.

use std::net::IpAddr;

use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::routes::InterfaceId;

/// How many groups a socket can be in.
const MOST: usize = 64;

/// A group that was joined, on one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The group.
    pub group: IpAddr,
    /// Where.
    pub interface: InterfaceId,
}

/// The groups of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined(Vec<Member>);

impl Joined {
    /// Adds a group.
    ///
    /// # Errors
    /// `AlreadyMember`, `TooManyGroups`.
    pub fn join(&mut self, member: Member) -> Result<(), SocketError> {
        if self.0.contains(&member) {
            return Err(SocketError::AlreadyMember(member.group));
        }
        if self.0.len() >= MOST {
            return Err(SocketError::TooManyGroups(MOST));
        }
        self.0.push(member);
        Ok(())
    }

    /// Takes a group away: where it was joined first, unless the interface is said.
    ///
    /// # Errors
    /// `NotAMember`.
    pub fn leave(&mut self, group: IpAddr, interface: Option<InterfaceId>) -> Result<(), SocketError> {
        let is_meant = |known: &Member| {
            known.group == group && interface.is_none_or(|interface| known.interface == interface)
        };
        let place = self.0.iter().position(is_meant);
        self.0.remove(place.ok_or(SocketError::NotAMember(group))?);
        Ok(())
    }

    /// Whether a packet to `group` that came by `interface` is for the socket.
    pub fn has(&self, group: IpAddr, interface: InterfaceId) -> bool {
        self.0.contains(&Member { group, interface })
    }

    /// Brings the interfaces from what was joined `before` to these.
    pub fn follow(&self, before: &Self, network: &mut Network) {
        for member in self.0.iter().filter(|member| !before.0.contains(member)) {
            network.join(member.interface, member.group);
        }
        for member in before.0.iter().filter(|member| !self.0.contains(member)) {
            network.leave(member.interface, member.group);
        }
    }
}
