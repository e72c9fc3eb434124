//! What the administrator wants of an interface's NIC, whichever driver serves it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use config::netd::{Panel, Setting};
use smoltcp::wire::EthernetAddress;

use super::interface::{ETHERNET_MTU, Interface, Link};
use super::{InterfaceId, Stack};

/// The MTUs that any Ethernet link can be set to: from what every host takes (RFC 1122 section 3.3.3) to what a
/// jumbo frame's buffer holds beside its headers.
pub const MTU: RangeInclusive<usize> = 576..=16 * 1024 - 18;

/// What a driver is told before frames move, and whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The Ethernet address; the NIC's own if there is none.
    pub address: Option<EthernetAddress>,
    /// The longest IP packet, in bytes; the driver's own if there is none.
    pub mtu: Option<usize>,
    /// Whether the NIC lets all frames through.
    pub promiscuous: bool,
    /// Whether the NIC lets all multicast frames through.
    pub all_multicast: bool,
    /// The driver's settings, by their names.
    pub settings: BTreeMap<(Panel, String), Setting>,
    /// Counts the changes of the settings.
    pub version: u64,
}

/// What the driver said of its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    /// The text of each file that it has.
    pub texts: BTreeMap<Panel, String>,
    /// The [`Wanted::version`] that it was told of last.
    pub told: u64,
    /// What it did not take then, and why.
    pub refused: BTreeMap<(Panel, String), String>,
}

impl Interface {
    /// The MTUs that it can be set to.
    pub fn mtu_limits(&self) -> RangeInclusive<usize> {
        match self.parent {
            // Its parent's packets are as long.
            Some(_) => *MTU.start()..=self.link_mtu,
            None => self.driver_limits.clone().unwrap_or(MTU),
        }
    }
}

impl Stack {
    /// The administrator chooses an Ethernet address, or the NIC's own. A driver that is there takes it over first.
    pub fn set_ethernet_address(&mut self, id: InterfaceId, wanted: Option<EthernetAddress>) {
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.wanted.address = wanted;
        if let (Link::Ethernet { address, .. }, None, None) =
            (&mut interface.link, &interface.driver, interface.parent)
        {
            *address = wanted;
        }
        self.revision += 1;
    }

    /// The administrator chooses an MTU within [`Interface::mtu_limits`], or the driver's own. A driver that is
    /// there takes it over first.
    pub fn set_mtu(&mut self, id: InterfaceId, wanted: Option<usize>) {
        let Some(interface) = self.network.interface_mut(id) else { return };
        interface.wanted.mtu = wanted;
        if interface.driver.is_none() && interface.parent.is_none() {
            interface.link_mtu = wanted.unwrap_or(ETHERNET_MTU);
        }
        self.follow_mtu(id);
        self.follow_vlans(id);
        self.revision += 1;
    }

    /// The administrator chooses what the NIC lets through beside its own frames: everything, or every multicast.
    pub fn set_filter(&mut self, id: InterfaceId, promiscuous: bool, all_multicast: bool) {
        if let Some(interface) = self.network.interface_mut(id) {
            (interface.wanted.promiscuous, interface.wanted.all_multicast) = (promiscuous, all_multicast);
        }
    }

    /// The administrator chooses a setting of the driver's, or the driver's own.
    pub fn set_setting(&mut self, id: InterfaceId, panel: Panel, name: &str, setting: Option<Setting>) {
        let Some(interface) = self.network.interface_mut(id) else { return };
        let key = (panel, name.to_owned());
        match setting {
            Some(setting) => interface.wanted.settings.insert(key, setting),
            None => interface.wanted.settings.remove(&key),
        };
        interface.wanted.version += 1;
    }

    /// Whether the driver of an interface makes segments of longer packets.
    pub fn set_segments(&mut self, id: InterfaceId, are_made: bool) {
        let (now, seed) = (self.network.now, self.network.random.next_u64());
        if let Some(interface) = self.network.interface_mut(id) {
            interface.set_segments(are_made, seed, now);
            self.follow_vlans(id);
        }
    }

    /// A lease may say that the link's packets are shorter than the driver knows. The administrator knows best.
    pub(super) fn follow_mtu(&mut self, id: InterfaceId) {
        let (now, seed) = (self.network.now, self.network.random.next_u64());
        let Some(interface) = self.network.interface_mut(id) else { return };
        let leased = interface.dhcp().and_then(|dhcp| dhcp.lease()).and_then(|lease| lease.mtu);
        // A stock driver cannot be told; then less is used than it takes.
        let most = interface.wanted.mtu.or(leased).unwrap_or(usize::MAX);
        interface.set_mtu(interface.link_mtu.min(most), seed, now);
    }
}
