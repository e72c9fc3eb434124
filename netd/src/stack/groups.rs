//! The multicast groups that an interface is a member of, each as often as it was joined.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use smoltcp::wire::EthernetAddress;

use super::address::multicast;
use super::igmp::ALL_SYSTEMS;
use super::ndisc::ALL_NODES;

/// Whether every host is in `group`, and hears it whether or not it has joined.
pub fn is_everybody(group: IpAddr) -> bool {
    group == IpAddr::V4(ALL_SYSTEMS) || group == IpAddr::V6(ALL_NODES)
}

/// The groups of one interface.
#[derive(Debug, Default)]
pub struct Groups {
    joined: BTreeMap<IpAddr, usize>,
    version: u64,
}

impl Groups {
    /// Joins `group` once more; whether it is new.
    pub fn join(&mut self, group: IpAddr) -> bool {
        let count = self.joined.entry(group).or_default();
        *count += 1;
        let is_new = *count == 1;
        self.version += u64::from(is_new);
        is_new
    }

    /// Takes one joining of `group` back; whether that was the last one.
    pub fn leave(&mut self, group: IpAddr) -> bool {
        let Some(count) = self.joined.get_mut(&group) else { return false };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            self.joined.remove(&group);
            self.version += 1;
        }
        is_last
    }

    /// Whether `group` was joined.
    pub fn has(&self, group: IpAddr) -> bool {
        self.joined.contains_key(&group)
    }

    /// The groups, in order.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.joined.keys().copied()
    }

    /// What a NIC that filters multicast frames has to let through.
    pub fn ethernet(&self) -> BTreeSet<EthernetAddress> {
        self.iter().map(multicast).collect()
    }

    /// The groups of another interface, those of a VLAN that ends, are none of the NIC's any more.
    pub fn outlive(&mut self, other: &Self) {
        self.version += other.version + 1;
    }

    /// Grows with every change of the groups.
    pub fn version(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_group_is_left_when_the_last_member_leaves() {
        let mut groups = Groups::default();
        let group = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
        assert_eq!((groups.join(group), groups.join(group)), (true, false));
        assert_eq!(groups.ethernet().into_iter().collect::<Vec<_>>(), [multicast(group)]);
        assert_eq!((groups.leave(group), groups.has(group)), (false, true));
        assert_eq!((groups.leave(group), groups.has(group)), (true, false));
        assert!(!groups.leave(group));
        assert_eq!(groups.version(), 2);
    }
}
