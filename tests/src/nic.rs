//! The guest's network devices, as `--nic MODEL[:NETDEV]` names them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A network device and what it is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// QEMU's device model, with properties if any (`e1000`, `e1000,mac=52:54:00:00:00:01`). `virtio-net` is QEMU's
    /// `virtio-net-pci` as the guest needs it.
    pub model: String,
    /// The other end.
    pub link: Link,
}

/// What a network device is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// QEMU's user network: DHCP, DNS, and the host's loopback as 10.0.2.2. Options follow as QEMU takes them
    /// (`hostfwd=tcp:127.0.0.1:8080-:80`).
    User(String),
    /// A tap interface of the host.
    Tap(String),
    /// A tap interface in another network, of one queue or several.
    Queues {
        /// Its name.
        interface: String,
        /// How many queues it has.
        count: u16,
        /// The network that it is in, as a file. QEMU is started in that.
        network: PathBuf,
    },
    /// Unix datagram sockets: one frame a datagram.
    Datagram {
        /// QEMU's own socket.
        local: PathBuf,
        /// The peer's.
        remote: PathBuf,
    },
    /// A unix stream socket on which the peer listens: each frame behind its length (4 bytes, big-endian).
    Stream(PathBuf),
}

/// Why a network device's description cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// There is no such kind of link.
    #[error(
        "there is no link `{0}`: it is one of user[,OPTION...], tap:IFNAME, dgram:LOCAL,REMOTE, stream:PATH"
    )]
    Link(String),
    /// Something is left out.
    #[error("`{0}` needs {1}")]
    Incomplete(&'static str, &'static str),
}

impl Nic {
    /// A device on QEMU's user network.
    pub fn user(model: &str) -> Self {
        Self { model: model.to_owned(), link: Link::User(String::new()) }
    }
}

/// The slots of the root bus that these devices are in: 3 and up. QEMU's igb keeps two slots 16 further on for its virtual
/// functions, so that the second one after an igb is the next.
pub fn slots(nics: &[Nic]) -> impl Iterator<Item = usize> {
    nics.iter().scan(3, |next, nic| {
        let slot = *next;
        *next += if nic.name() == "igb" { 2 } else { 1 };
        Some(slot)
    })
}

impl FromStr for Nic {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        // A colon may also stand in a MAC address among the model's properties, so the link is looked for by name.
        let (model, link) = match ["user", "tap", "dgram", "stream"]
            .iter()
            .filter_map(|kind| text.find(&format!(":{kind}")))
            .min()
        {
            Some(at) => (&text[..at], text[at + 1..].parse()?),
            None => match text.split_once(':') {
                Some((model, link)) if !model.contains(',') => (model, link.parse()?),
                _ => (text, Link::User(String::new())),
            },
        };
        if model.is_empty() {
            return Err(ParseError::Incomplete("--nic", "a model, such as e1000"));
        }
        Ok(Self { model: model.to_owned(), link })
    }
}

impl FromStr for Link {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let unknown = || ParseError::Link(text.to_owned());
        let (kind, rest) = text.split_once([':', ',']).unwrap_or((text, ""));
        match kind {
            "user" => Ok(Self::User(rest.to_owned())),
            "tap" if rest.is_empty() => {
                Err(ParseError::Incomplete("tap", "the interface's name: tap:IFNAME"))
            }
            "tap" => Ok(Self::Tap(rest.to_owned())),
            "dgram" => match rest.split_once(',') {
                Some((local, remote)) if !local.is_empty() && !remote.is_empty() => {
                    Ok(Self::Datagram { local: local.into(), remote: remote.into() })
                }
                _ => Err(ParseError::Incomplete("dgram", "two sockets' paths: dgram:LOCAL,REMOTE")),
            },
            "stream" if rest.is_empty() => {
                Err(ParseError::Incomplete("stream", "a socket's path: stream:PATH"))
            }
            "stream" => Ok(Self::Stream(rest.into())),
            _ => Err(unknown()),
        }
    }
}

impl Nic {
    /// QEMU's arguments for this device, the `number`th of the guest (from 0), in this slot of the root bus. With `pcap`,
    /// what passes is written there.
    pub fn arguments(&self, number: usize, slot: usize, pcap: Option<&Path>) -> Vec<String> {
        let netdev = match &self.link {
            Link::User(options) if options.is_empty() => format!("user,id=net{number}"),
            Link::User(options) => format!("user,id=net{number},{options}"),
            Link::Tap(interface) => {
                format!("tap,id=net{number},ifname={},script=no,downscript=no", escape(interface))
            }
            Link::Queues { interface, count, .. } => format!(
                "tap,id=net{number},ifname={},script=no,downscript=no,queues={count}",
                escape(interface)
            ),
            Link::Datagram { local, remote } => format!(
                "dgram,id=net{number},local.type=unix,local.path={},remote.type=unix,remote.path={}",
                path(local),
                path(remote)
            ),
            Link::Stream(socket) => {
                format!("stream,id=net{number},server=off,addr.type=unix,addr.path={}", path(socket))
            }
        };
        // An option ROM is for booting from the network, and costs time.
        let device = format!("{},netdev=net{number},addr={slot:#x},romfile=", self.device());
        let mut arguments = vec!["-netdev".to_owned(), netdev, "-device".to_owned(), device];
        if let Some(pcap) = pcap {
            arguments.push("-object".to_owned());
            arguments.push(format!("filter-dump,id=pcap{number},netdev=net{number},file={}", path(pcap)));
        }
        arguments
    }

    /// The model's name, without properties.
    pub fn name(&self) -> &str {
        self.model.split(',').next().unwrap_or_default()
    }

    /// The network in which QEMU finds the other end, if that is not the host's.
    pub fn network(&self) -> Option<&Path> {
        match &self.link {
            Link::Queues { network, .. } => Some(network),
            _ => None,
        }
    }

    /// The device as QEMU calls it. A virtio device goes round the IOMMU, into the guest's memory, unless it is told
    /// not to.
    fn device(&self) -> String {
        match self.model.strip_prefix("virtio-net") {
            Some(properties) if properties.is_empty() || properties.starts_with(',') => {
                format!("virtio-net-pci,disable-legacy=on,iommu_platform=on{properties}")
            }
            _ => self.model.clone(),
        }
    }
}

/// QEMU's options are separated by commas; a doubled one stands for itself.
fn escape(text: &str) -> String {
    text.replace(',', ",,")
}

/// A path as part of one of QEMU's options.
pub(crate) fn path(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Link {
        text.parse::<Nic>().unwrap().link
    }

    #[test]
    fn a_model_alone_is_on_the_user_network() {
        assert_eq!("e1000".parse(), Ok(Nic::user("e1000")));
        assert_eq!(
            "e1000,mac=52:54:00:00:00:01".parse(),
            Ok(Nic::user("e1000,mac=52:54:00:00:00:01")),
            "a MAC address is no link"
        );
    }

    #[test]
    fn every_kind_of_link_is_understood() {
        assert_eq!(link("e1000:user"), Link::User(String::new()));
        assert_eq!(link("e1000:user,hostfwd=tcp::8080-:80"), Link::User("hostfwd=tcp::8080-:80".to_owned()));
        assert_eq!(link("e1000:tap:tap0"), Link::Tap("tap0".to_owned()));
        let datagram = Link::Datagram { local: "/tmp/a".into(), remote: "/tmp/b".into() };
        assert_eq!(link("e1000,mac=52:54:00:00:00:01:dgram:/tmp/a,/tmp/b"), datagram);
        assert_eq!(link("e1000:stream:/tmp/s"), Link::Stream("/tmp/s".into()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Nic>().unwrap_err().to_string();
        assert!(error("e1000:usr").contains("no link `usr`"));
        assert!(error("e1000:dgram:/tmp/a").contains("dgram:LOCAL,REMOTE"));
        assert!(error("e1000:tap").contains("tap:IFNAME"));
        assert!(error(":user").contains("a model"));
    }

    #[test]
    fn a_virtio_device_uses_the_iommu_unless_it_is_described_in_qemus_words() {
        let device = |text: &str| text.parse::<Nic>().unwrap().arguments(0, 3, None)[3].clone();
        let iommu = "virtio-net-pci,disable-legacy=on,iommu_platform=on";
        assert_eq!(device("virtio-net"), format!("{iommu},netdev=net0,addr=0x3,romfile="));
        assert_eq!(device("virtio-net,mq=on"), format!("{iommu},mq=on,netdev=net0,addr=0x3,romfile="));
        assert_eq!(device("virtio-net-pci"), "virtio-net-pci,netdev=net0,addr=0x3,romfile=");
    }

    #[test]
    fn what_follows_an_igb_leaves_its_virtual_functions_their_place() {
        let nics = ["e1000", "igb,mac=52:54:00:00:00:01", "igb", "e1000"].map(Nic::user);
        assert_eq!(Vec::from_iter(slots(&nics)), [3, 4, 6, 8]);
    }

    #[test]
    fn commas_in_paths_are_doubled_for_qemu() {
        let nic = Nic { model: "e1000".to_owned(), link: Link::Stream("/tmp/a,b".into()) };
        let arguments = nic.arguments(1, 4, Some(Path::new("x.pcap")));
        assert_eq!(arguments[1], "stream,id=net1,server=off,addr.type=unix,addr.path=/tmp/a,,b");
        assert_eq!(arguments[3], "e1000,netdev=net1,addr=0x4,romfile=");
        assert_eq!(arguments[5], "filter-dump,id=pcap1,netdev=net1,file=x.pcap");
    }
}
