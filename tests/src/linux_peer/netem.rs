//! A Linux between a guest and its peer that treats packets badly: a bridge in a guest of its own, with `tc netem` on both
//! its interfaces. Its kernel is the guests', since not every host's has netem.

use std::ops::RangeFrom;
use std::time::Duration;

use tempfile::TempDir;

use super::LinuxPeer;
use crate::guest::{Guest, Running};
use crate::nic::{Link, Nic};
use crate::{Context, Result};

/// What a bridge of virtio devices with netem takes, those first that others need.
const MODULES: [&str; 9] =
    ["failover", "net_failover", "virtio_net", "llc", "stp", "bridge", "sch_prio", "cls_u32", "sch_netem"];

/// How long it may take to boot.
const PATIENCE: Duration = Duration::from_secs(90);

/// What it may take in all, in seconds.
const LIMIT: u64 = 300;

/// iproute2's programs by their paths, since busybox has smaller ones. Joins no segments, so that netem sees each frame as it
/// came, and passes what no class is for as it is.
const BRIDGE: &str = "
    set -e
    alias ip=/usr/bin/ip tc=/usr/sbin/tc
    for module in /lib/kept/*; do insmod $module; done
    brctl addbr br0
    for interface in eth0 eth1; do
        ip link set $interface gro_max_size 1500 up
        brctl addif br0 $interface
        tc qdisc add dev $interface root handle 1: prio bands 16 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
    done
    ip link set br0 up
";

/// Tells what became of the packets once the guest's cable is pulled.
const END: &str = "
    echo ready
    until [ \"$(cat /sys/class/net/eth0/carrier)\" = 0 ]; do usleep 50000; done
    for interface in eth0 eth1; do tc -s qdisc show dev $interface; done
";

/// The numbers of the treatments' classes. The one before is for all else.
const CLASSES: RangeFrom<usize> = 2..;

/// What happens to the packets of the connections to one of the peer's TCP ports, both ways.
#[derive(Clone, Copy, Debug)]
pub struct Treatment {
    /// The port.
    pub port: u16,
    /// The words for `tc qdisc add .. netem`: `loss 1%`.
    pub netem: &'static str,
}

/// What netem tells of the packets that it treated in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treated {
    /// How many went on.
    pub sent: u64,
    /// How many were lost.
    pub lost: u64,
    /// How many overtook others.
    pub reordered: u64,
}

/// The bridge. Dropping it ends it.
pub struct Netem {
    bridge: Running,
    treatments: Vec<Treatment>,
    /// Holds the sockets of the guest's wire; its path is short, as a socket's must be.
    folder: TempDir,
}

impl Netem {
    /// Puts it before a peer.
    pub fn start(peer: &LinuxPeer, treatments: &[Treatment]) -> Result<Self> {
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let wire = wire(&folder, "virtio-net-pci,mac=52:54:00:00:00:01", ["bridge", "guest"]);
        let bridge = Guest::default()
            .nic(wire)
            .nic(peer.nic("virtio-net-pci,mac=52:54:00:00:00:02"))
            .programs(&["ip", "tc"])
            .kept_modules(&MODULES)
            .without_drivers()
            .limit(LIMIT);
        let classes: String =
            CLASSES.zip(treatments).map(|(class, treatment)| treatment.class(class)).collect();
        let mut bridge = bridge.start(&format!("{BRIDGE}{classes}{END}"))?;
        bridge.wait_for("ready", PATIENCE)?;
        Ok(Self { bridge, treatments: treatments.to_vec(), folder })
    }

    /// A device of this model that is connected to it.
    pub fn nic(&self, model: &str) -> Nic {
        wire(&self.folder, model, ["guest", "bridge"])
    }

    /// Ends it, and tells what became of the packets of each treatment: of those to the guest and of those from it.
    pub fn finish(mut self) -> Result<Vec<(Treatment, Vec<Treated>)>> {
        self.bridge.run().monitor().plug(false)?;
        let finished = self.bridge.finish()?;
        let said = finished.success()?;
        let treatments = CLASSES.zip(self.treatments);
        Ok(treatments.map(|(class, treatment)| (treatment, treated(said, class))).collect())
    }
}

/// A device at one end of the wire between the two guests.
fn wire(folder: &TempDir, model: &str, [local, remote]: [&str; 2]) -> Nic {
    let link = Link::Datagram { local: folder.path().join(local), remote: folder.path().join(remote) };
    Nic { model: model.to_owned(), link }
}

impl Treatment {
    /// The commands that make it a class of this number: the peer is behind `eth1`.
    fn class(&self, number: usize) -> String {
        let Self { port, netem } = self;
        let on = |interface, end| {
            format!(
                "tc qdisc add dev {interface} parent 1:{number:x} netem {netem}
                 tc filter add dev {interface} parent 1: protocol ip u32 match ip {end} {port} 0xffff \\
                    flowid 1:{number:x}\n"
            )
        };
        on("eth0", "sport") + &on("eth1", "dport")
    }
}

/// What `tc -s qdisc show` says of a class, of each interface: `qdisc netem 8001: parent 1:2 ...` and then
/// ` Sent 1514 bytes 1 pkt (dropped 0, overlimits 0 requeues 0)`. What netem sends before others it counts as requeued.
fn treated(said: &str, class: usize) -> Vec<Treated> {
    let parent = format!(" parent 1:{class:x} ");
    let lines = said.lines().zip(said.lines().skip(1));
    let counts = lines.filter(|(qdisc, _)| qdisc.contains(&parent)).filter_map(|(_, counts)| {
        let number = |before: &str, after: &str| {
            let (_, rest) = counts.split_once(before)?;
            rest.split_once(after)?.0.parse().ok()
        };
        Some(Treated {
            sent: number(" bytes ", " pkt")?,
            lost: number("(dropped ", ",")?,
            reordered: number(" requeues ", ")")?,
        })
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tc_tells_is_understood() {
        let said = "qdisc prio 1: root refcnt 2 bands 16 priomap 0 0\n \
                    Sent 99 bytes 9 pkt (dropped 9, overlimits 0 requeues 0)\n\
                    qdisc netem 8001: parent 1:2 limit 1000 loss 1% reorder 10% gap 1\n \
                    Sent 102746 bytes 73 pkt (dropped 2, overlimits 0 requeues 7)\n \
                    backlog 0b 0p requeues 7\n";
        assert_eq!(treated(said, 2), [Treated { sent: 73, lost: 2, reordered: 7 }]);
        assert_eq!(treated(said, 3), []);
    }
}
