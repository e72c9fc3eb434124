//! The control virtqueue: receive modes, addresses, VLANs and delays of notifications (virtio 1.2, 5.1.6.5).

use std::collections::BTreeSet;

use hw::dma::Region;
use nic::{Intervals, MacAddress, Settings};

use crate::queue::{Areas, Format, Piece, Queue};
use crate::registers::{Features, command};
use crate::spread::{self, Pairs};

/// Most groups that are told to the device; of more, it hands over all.
const MOST_GROUPS: usize = 64;

/// Commands that are given together, at most.
const COMMANDS: usize = 8;

/// Bytes that a command has, its acknowledgement included.
const SLOT: usize = 512;

/// Where in a slot the device writes the acknowledgement.
const ACK: usize = SLOT - 8;

/// Bytes of memory for commands.
pub const MEMORY: usize = COMMANDS * SLOT;

/// Frames that are there to be notified of, at most, however long the delay.
const MOST_FRAMES: u32 = 64;

/// Looks, a second apart, at which commands may be without an answer.
const PATIENCE: u32 = 3;

/// Tells the device what to receive. It never waits: newer wishes are told when the device has answered to the older.
pub struct Control {
    queue: Queue<Command>,
    memory: Region,
    features: Features,
    pairs: Pairs,
    wanted: Wanted,
    vlans: Vlans,
    /// Looks since the device last answered.
    unanswered: u32,
}

/// What the device is to be told.
#[derive(Default)]
struct Wanted {
    settings: Option<Settings>,
    intervals: Option<Intervals>,
}

/// The VLANs whose frames the device lets through: each is told by a command of its own.
#[derive(Default)]
struct Vlans {
    wanted: BTreeSet<u16>,
    told: BTreeSet<u16>,
}

impl Vlans {
    /// A command that brings the device nearer to what is wanted.
    fn next(&mut self) -> Option<(&'static str, Vec<u8>)> {
        let command = |command: [u8; 2], vlan: u16| [command, vlan.to_le_bytes()].concat();
        if let Some(vlan) = self.wanted.difference(&self.told).next().copied() {
            self.told.insert(vlan);
            return Some(("receive the frames of a VLAN", command(command::VLAN_ADD, vlan)));
        }
        let vlan = self.told.difference(&self.wanted).next().copied()?;
        self.told.remove(&vlan);
        Some(("receive no frames of a VLAN", command(command::VLAN_DEL, vlan)))
    }
}

/// A command that the device has.
#[derive(Clone, Copy, Debug)]
struct Command {
    /// What it does, for the log.
    name: &'static str,
    slot: usize,
}

impl Control {
    /// A virtqueue of this format, whose commands stand in `memory`.
    pub fn new(format: Format, memory: Region) -> Self {
        Self {
            queue: Queue::new(format),
            memory,
            features: Features::empty(),
            pairs: Pairs::ONE,
            wanted: Wanted::default(),
            vlans: Vlans::default(),
            unanswered: 0,
        }
    }

    /// Begins anew, while the device is quiet, with what was negotiated.
    pub fn start(&mut self, entries: u16, features: Features, pairs: Pairs) -> Areas {
        (self.features, self.pairs) = (features, pairs);
        self.wanted = Wanted::default();
        self.vlans = Vlans::default();
        self.unanswered = 0;
        self.queue.start(entries)
    }

    /// Forgets all commands, after the device was made quiet.
    pub fn stop(&mut self) {
        self.wanted = Wanted::default();
        self.vlans = Vlans::default();
        self.queue.stop();
    }

    /// Wants the device to work like this. Whether it wants to be notified.
    pub fn configure(&mut self, settings: &Settings) -> bool {
        self.wanted.settings = Some(settings.clone());
        if self.features.contains(Features::CTRL_VLAN) {
            // Frames with a priority and no VLAN have number 0.
            self.vlans.wanted = std::iter::once(0).chain(settings.filter.vlans.iter().copied()).collect();
        }
        self.advance()
    }

    /// Wants notifications to be delayed so long. Whether the device wants to be notified.
    pub fn moderate(&mut self, intervals: Intervals) -> bool {
        self.wanted.intervals = Some(intervals);
        self.advance()
    }

    /// Hears the device's answers, and tells it what is wanted now. Whether it wants to be notified.
    pub fn advance(&mut self) -> bool {
        while let Some((command, _)) = self.queue.take() {
            self.unanswered = 0;
            let mut ack = [0];
            if self.memory.copy_to(command.slot * SLOT + ACK, &mut ack) && ack != [command::OK] {
                log::warn!("the device refuses to {}", command.name);
            }
        }
        if self.queue.owned() > 0 {
            return false;
        }
        let wanted = std::mem::take(&mut self.wanted);
        let commands = wanted.settings.map(|settings| commands(&settings, self.features, self.pairs));
        let delays = wanted.intervals.map(|intervals| delays(intervals, self.features));
        let mut commands: Vec<_> = commands.into_iter().chain(delays).flatten().collect();
        let room = COMMANDS.saturating_sub(commands.len());
        commands.extend(std::iter::from_fn(|| self.vlans.next()).take(room));
        for (slot, (name, bytes)) in commands.into_iter().enumerate() {
            self.give(Command { name, slot }, &bytes);
        }
        self.queue.show()
    }

    /// The device answers nothing any more, or lies. To be asked once a second.
    pub fn is_broken(&mut self) -> bool {
        self.unanswered = if self.queue.owned() > 0 { self.unanswered + 1 } else { 0 };
        self.queue.is_broken() || self.unanswered > PATIENCE
    }

    /// Asks for no interrupts.
    pub fn mask(&mut self) {
        self.queue.mask();
    }

    /// Asks for an interrupt at the next answer. Whether there is one already.
    pub fn unmask(&mut self) -> bool {
        self.queue.unmask(0)
    }

    /// A command is read by the device, and its acknowledgement written.
    fn give(&mut self, command: Command, bytes: &[u8]) {
        let at = command.slot * SLOT;
        let address = self.memory.bus_address() + at as u64;
        if self.memory.copy_from(at, bytes) && self.memory.copy_from(at + ACK, &[!command::OK]) {
            let request = Piece { address, len: bytes.len() as u32, writable: false };
            let ack = Piece { address: address + ACK as u64, len: 1, writable: true };
            if self.queue.give(command, &[request, ack]).is_err() {
                log::warn!("the device's control queue is too short to {}", command.name);
            }
        }
    }
}

/// The commands for `settings` that the device understands, each with what it does.
fn commands(settings: &Settings, features: Features, pairs: Pairs) -> Vec<(&'static str, Vec<u8>)> {
    let filter = &settings.filter;
    let all_multicast = filter.all_multicast || filter.multicast.len() > MOST_GROUPS;
    let mut commands = Vec::new();
    if features.contains(Features::CTRL_MAC_ADDR) {
        let bytes = [command::MAC_ADDR_SET.as_slice(), &settings.mac.0].concat();
        commands.push(("change its address", bytes));
    }
    if features.contains(Features::CTRL_RX) {
        let switch = |command: [u8; 2], on: bool| [command.as_slice(), &[on.into()]].concat();
        commands.push(("receive selected groups", mac_table(filter.multicast.iter())));
        commands.push(("switch all multicast frames", switch(command::RX_ALLMULTI, all_multicast)));
        commands.push(("switch promiscuous mode", switch(command::RX_PROMISC, filter.promiscuous)));
    }
    let spread = spread::command(features, settings.rss.as_ref(), pairs);
    commands.extend(spread.map(|bytes| ("spread received frames over its queues", bytes)));
    commands
}

/// The commands for `intervals`, where the device understands them (5.1.6.5.7).
fn delays(intervals: Intervals, features: Features) -> Vec<(&'static str, Vec<u8>)> {
    if !features.contains(Features::NOTF_COAL) {
        return Vec::new();
    }
    let delay = |command: [u8; 2], microseconds: u32| {
        [command.as_slice(), &MOST_FRAMES.to_le_bytes(), &microseconds.to_le_bytes()].concat()
    };
    vec![
        ("delay what it tells of received frames", delay(command::COAL_RX_SET, intervals.receive)),
        ("delay what it tells of sent frames", delay(command::COAL_TX_SET, intervals.transmit)),
    ]
}

/// MAC_TABLE_SET (5.1.6.5.2): two lists of addresses behind their length, of stations and of groups. Which stations'
/// frames the device hands over beside its own is none of the filter's business.
fn mac_table<'a>(groups: impl Iterator<Item = &'a MacAddress>) -> Vec<u8> {
    let groups: Vec<_> = groups.take(MOST_GROUPS).flat_map(|group| group.0).collect();
    let count = (groups.len() / 6) as u32;
    [command::MAC_TABLE_SET.as_slice(), &0u32.to_le_bytes(), &count.to_le_bytes(), &groups].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nic::{Coalesce, Filter, Rings};

    use super::*;

    const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);

    fn told(filter: Filter, features: Features) -> Vec<Vec<u8>> {
        let settings = Settings {
            mac: MAC,
            mtu: 1500,
            filter,
            features: nic::Features::empty(),
            coalesce: Coalesce::default(),
            rings: Rings::default(),
            media: nic::Media::default(),
            rss: None,
            wake: Default::default(),
        };
        commands(&settings, features, Pairs::ONE).into_iter().map(|(_, bytes)| bytes).collect()
    }

    #[test]
    fn a_filter_is_a_table_and_two_switches() {
        let group = MacAddress([1, 0, 0x5e, 0, 0, 0xfb]);
        let filter = Filter { promiscuous: true, multicast: BTreeSet::from([group]), ..Filter::default() };
        let table = [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 0xfb];
        assert_eq!(told(filter, Features::CTRL_RX), [table.as_slice(), &[0, 1, 0], &[0, 0, 1]]);
    }

    #[test]
    fn what_was_not_negotiated_is_not_told() {
        let filter = Filter::default();
        assert!(told(filter.clone(), Features::empty()).is_empty());
        assert_eq!(told(filter, Features::CTRL_MAC_ADDR), [[1, 1, 2, 0, 0, 0, 0, 1]]);
    }

    #[test]
    fn vlans_are_told_one_by_one_until_the_device_knows_them() {
        let mut vlans = Vlans { wanted: BTreeSet::from([0, 300]), ..Vlans::default() };
        let next = |vlans: &mut Vlans| vlans.next().map(|(_, bytes)| bytes);
        assert_eq!(next(&mut vlans), Some(vec![2, 0, 0, 0]));
        assert_eq!(next(&mut vlans), Some(vec![2, 0, 44, 1]));
        assert_eq!(next(&mut vlans), None);
        vlans.wanted.remove(&300);
        assert_eq!(next(&mut vlans), Some(vec![2, 1, 44, 1]));
        assert_eq!(next(&mut vlans), None);
    }

    #[test]
    fn delays_are_told_for_each_direction() {
        let told = delays(Intervals { receive: 20, transmit: 300 }, Features::all());
        let bytes: Vec<_> = told.into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(bytes, [[6, 1, 64, 0, 0, 0, 20, 0, 0, 0], [6, 0, 64, 0, 0, 0, 44, 1, 0, 0]]);
    }

    #[test]
    fn more_groups_than_fit_are_all_groups_and_every_command_fits_its_place() {
        let multicast = (0..100).map(|last| MacAddress([1, 0, 0x5e, 0, 0, last])).collect();
        let filter = Filter { multicast, ..Filter::default() };
        let commands = told(filter, Features::CTRL_RX | Features::CTRL_MAC_ADDR | Features::MQ);
        assert!(commands.contains(&vec![0, 1, 1]));
        let delays = delays(Intervals::default(), Features::NOTF_COAL);
        assert!(commands.len() + delays.len() <= COMMANDS && commands.iter().all(|bytes| bytes.len() <= ACK));
    }
}
