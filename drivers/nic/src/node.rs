//! The nodes of a network scheme.

use scheme::flag;
use scheme::pipe::HANDS_OVER;

use crate::attributes;
use crate::frame::Form;
use crate::port::Port;
use crate::rss::Rss;

/// A node by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// The directory of the others.
    Root,
    /// One frame a read or write. Opening the root for reading and writing gives the same, as stock does.
    Frame,
    /// The same with a header before each frame, which tells what is known of it and what is left to be done.
    Vnet,
    /// Received frames, by a pipe.
    Receive,
    /// Frames to be sent, by a pipe.
    Transmit,
    /// Received frames with their headers, by a pipe.
    VnetReceive,
    /// Frames to be sent with their headers, by a pipe.
    VnetTransmit,
    /// The 6 bytes of the address.
    Mac,
    /// The address as text.
    Address,
    /// The MTU.
    Mtu,
    /// The least and the greatest MTU.
    MtuLimits,
    /// The state of the link.
    Link,
    /// How the device comes by its link's speed and duplex.
    Media,
    /// What was counted.
    Stats,
    /// What the device can do for the driver, and whether it does.
    Features,
    /// Which frames are received.
    Filter,
    /// How interrupts are moderated.
    Coalesce,
    /// The sizes of the rings.
    Rings,
    /// How received frames are spread over the queues.
    Rss,
    /// Has the device test itself, and tells what was found.
    SelfTest,
    /// What the device's EEPROM holds.
    Eeprom,
    /// Has the device's LED show which device it is.
    Identify,
    /// What the stopped device wakes the machine for.
    Wake,
    /// Whether the device is powered.
    Power,
    /// Frames both ways, for those who look on.
    Capture,
    /// The device's registers.
    Registers,
}

impl Node {
    /// All but the root.
    const ALL: [Node; 25] = [
        Node::Frame,
        Node::Vnet,
        Node::Receive,
        Node::Transmit,
        Node::VnetReceive,
        Node::VnetTransmit,
        Node::Mac,
        Node::Address,
        Node::Mtu,
        Node::MtuLimits,
        Node::Link,
        Node::Media,
        Node::Stats,
        Node::Features,
        Node::Filter,
        Node::Coalesce,
        Node::Rings,
        Node::Rss,
        Node::SelfTest,
        Node::Eeprom,
        Node::Identify,
        Node::Wake,
        Node::Power,
        Node::Capture,
        Node::Registers,
    ];

    /// All but the root.
    pub fn all() -> impl Iterator<Item = Node> {
        Self::ALL.into_iter()
    }

    /// What the root directory lists.
    pub fn listed() -> impl Iterator<Item = Node> {
        Self::all().filter(|node| HANDS_OVER || !node.is_pipe())
    }

    /// The node called `name`.
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() { Some(Node::Root) } else { Self::listed().find(|node| node.name() == name) }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Node::Root => "",
            Node::Frame => "frame",
            Node::Vnet => "vnet",
            Node::Receive => "receive",
            Node::Transmit => "transmit",
            Node::VnetReceive => "vnet_receive",
            Node::VnetTransmit => "vnet_transmit",
            Node::Mac => "mac",
            Node::Address => "address",
            Node::Mtu => "mtu",
            Node::MtuLimits => "mtu_limits",
            Node::Link => "link",
            Node::Media => "media",
            Node::Stats => "stats",
            Node::Features => "features",
            Node::Filter => "filter",
            Node::Coalesce => "coalesce",
            Node::Rings => "rings",
            Node::Rss => "rss",
            Node::SelfTest => "selftest",
            Node::Eeprom => "eeprom",
            Node::Identify => "identify",
            Node::Wake => "wake",
            Node::Power => "power",
            Node::Capture => "capture",
            Node::Registers => "registers",
        }
    }

    /// Whoever opens it gets a pipe.
    pub fn is_pipe(self) -> bool {
        matches!(self, Node::Receive | Node::Transmit | Node::VnetReceive | Node::VnetTransmit)
    }

    /// How frames are read and written, of nodes that are for frames.
    pub fn form(self) -> Form {
        match self {
            Node::Vnet | Node::VnetReceive | Node::VnetTransmit => Form::Vnet,
            _ => Form::Plain,
        }
    }

    /// It can be written.
    pub fn is_writable(self) -> bool {
        let is_for_frames = matches!(self, Node::Frame | Node::Vnet | Node::Transmit | Node::VnetTransmit);
        let is_setting = matches!(
            self,
            Node::Address
                | Node::Mtu
                | Node::Filter
                | Node::Features
                | Node::Coalesce
                | Node::Rings
                | Node::Rss
                | Node::Media
                | Node::Wake
        );
        is_for_frames || is_setting || self.is_request()
    }

    /// Writing to it asks something of the device beside its settings.
    pub fn is_request(self) -> bool {
        matches!(self, Node::SelfTest | Node::Identify)
    }

    /// Kind and permissions, as `fstat` gives them. The root's are those of the directory.
    pub fn mode(self) -> u16 {
        match self {
            Node::Root => flag::MODE_DIR | 0o700,
            node if node.is_writable() => flag::MODE_FILE | 0o600,
            _ => flag::MODE_FILE | 0o400,
        }
    }

    /// Its size as far as it is fixed, otherwise 0.
    pub fn size(self) -> u64 {
        if self == Node::Mac { 6 } else { 0 }
    }

    /// Its bytes are those of a report that the device must make first.
    pub fn needs_report(self) -> bool {
        matches!(self, Node::Stats | Node::Coalesce | Node::Rings | Node::Eeprom | Node::Registers)
    }

    /// Its bytes now; none for nodes that have no contents of their own.
    pub fn render(self, port: &Port) -> Vec<u8> {
        match self {
            Node::Root | Node::Frame | Node::Vnet | Node::Capture => Vec::new(),
            Node::Receive | Node::Transmit | Node::VnetReceive | Node::VnetTransmit => Vec::new(),
            Node::Mac => port.settings.mac.0.to_vec(),
            Node::Address => format!("{}\n", port.settings.mac).into(),
            Node::Mtu => format!("{}\n", port.settings.mtu).into(),
            Node::MtuLimits => attributes::mtu_limits(&port.info).into(),
            Node::Link => attributes::link(port.link).into(),
            Node::Media => port.settings.media.lines().into(),
            Node::Stats => port.statistics.lines().into(),
            Node::Features => attributes::features(&port.info, port.settings.features).into(),
            Node::Filter => attributes::filter(&port.settings.filter).into(),
            Node::Coalesce => {
                port.info.facilities.moderation.lines(&port.settings.coalesce, port.intervals).into()
            }
            Node::Rings => {
                let lines = port.info.facilities.rings.map(|limits| limits.lines(port.settings.rings));
                lines.unwrap_or_default().into()
            }
            Node::Rss => port.settings.rss.as_ref().map(Rss::lines).unwrap_or_default().into(),
            Node::SelfTest => port.self_test.clone().into(),
            Node::Eeprom => port.eeprom.clone(),
            Node::Identify => port.requests.identify(port.now).into(),
            Node::Wake => port.settings.wake.lines().into(),
            Node::Power => attributes::power(port.is_powered_down).into(),
            Node::Registers => attributes::registers(&port.registers).into(),
        }
    }
}
