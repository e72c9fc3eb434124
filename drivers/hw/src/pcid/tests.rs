//! The messages against bincode itself, and against bytes that no pcid would send.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use pci_types::PciAddress;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::bincode::Malformed;
use super::channel::{self, Channel};
use super::message::{Bar, Feature, FeatureInfo, InterruptLine, MsixInfo, Request, Response};

/// pcid's own types, as its driver interface declares them.
#[allow(clippy::enum_variant_names, reason = "the names are pcid's")]
mod theirs {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    pub enum Feature {
        Msi,
        MsiX,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct MsiAddrAndData {
        pub addr: u64,
        pub data: u32,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub enum SetFeatureInfo {
        Msi {
            multi_message_enable: Option<u8>,
            message_address_and_data: Option<MsiAddrAndData>,
            mask_bits: Option<u32>,
        },
        MsiX {
            function_mask: Option<bool>,
        },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub enum Request {
        EnableDevice,
        RequestConfig,
        RequestFeatures,
        RequestVendorCapabilities,
        EnableFeature(Feature),
        FeatureInfo(Feature),
        SetFeatureInfo(SetFeatureInfo),
        ReadConfig(u16),
        WriteConfig(u16, u32),
    }

    #[derive(Clone, Copy, Serialize)]
    pub enum Bar {
        None,
        Memory32 { addr: u32, size: u32 },
        Memory64 { addr: u64, size: u64 },
        Port(u16),
    }

    #[derive(Clone, Serialize)]
    pub struct LegacyInterruptLine {
        pub irq: u8,
        pub phandled: Option<(u32, [u32; 3], usize)>,
    }

    #[derive(Clone, Serialize)]
    pub struct Function {
        pub addr: (u16, u8, u8, u8),
        pub bars: [Bar; 6],
        pub rom: Option<(u32, u32, bool)>,
        pub legacy_interrupt_line: Option<LegacyInterruptLine>,
        pub full_device_id: (u16, u16, u8, u8, u8, u8),
    }

    #[derive(Clone, Serialize)]
    pub enum FeatureInfo {
        Msi { log2_multiple_message_capable: u8, is_64bit: bool, has_per_vector_masking: bool },
        MsiX { table_bar: u8, table_offset: u32, table_size: u16, pba_bar: u8, pba_offset: u32 },
    }

    #[derive(Clone, Serialize)]
    pub enum ResponseError {
        NonexistentFeature(Feature),
        InvalidBitPattern,
    }

    #[derive(Clone, Serialize)]
    pub enum Response {
        EnabledDevice,
        Config(Function),
        AllFeatures(Vec<Feature>),
        VendorCapabilities(Vec<Vec<u8>>),
        FeatureEnabled(Feature),
        FeatureStatus(Feature, bool),
        Error(ResponseError),
        FeatureInfo(Feature, FeatureInfo),
        SetFeatureInfo(Feature),
        ReadConfig(u32),
        WriteConfig,
    }
}

fn e1000() -> theirs::Function {
    use theirs::Bar;
    theirs::Function {
        addr: (0, 1, 3, 2),
        bars: [
            Bar::Memory32 { addr: 0xfeb8_0000, size: 0x2_0000 },
            Bar::Port(0xc000),
            Bar::Memory64 { addr: 0x38_0000_0000, size: 0x4000 },
            Bar::None,
            Bar::None,
            Bar::None,
        ],
        rom: Some((0xfeb0_0000, 0x4_0000, false)),
        legacy_interrupt_line: Some(theirs::LegacyInterruptLine { irq: 11, phandled: None }),
        full_device_id: (0x8086, 0x100e, 2, 0, 0, 3),
    }
}

fn encoded(response: &theirs::Response) -> Vec<u8> {
    bincode::serialize(response).unwrap()
}

#[test]
fn requests_are_what_pcid_reads() {
    use theirs::Request as Their;
    let read = |request: Request| bincode::deserialize::<Their>(&request.encode()).unwrap();
    assert_eq!(read(Request::Config), Their::RequestConfig);
    assert_eq!(read(Request::EnableFeature(Feature::MsiX)), Their::EnableFeature(theirs::Feature::MsiX));
    assert_eq!(read(Request::FeatureInfo(Feature::Msi)), Their::FeatureInfo(theirs::Feature::Msi));
    assert_eq!(read(Request::ReadConfig(0x3c)), Their::ReadConfig(0x3c));
    assert_eq!(read(Request::WriteConfig(4, 0x107)), Their::WriteConfig(4, 0x107));
    assert_eq!(
        read(Request::SetMsi { address: 0xfee0_1000, data: 0x51 }),
        Their::SetFeatureInfo(theirs::SetFeatureInfo::Msi {
            multi_message_enable: Some(0),
            message_address_and_data: Some(theirs::MsiAddrAndData { addr: 0xfee0_1000, data: 0x51 }),
            mask_bits: None,
        })
    );
}

#[test]
fn the_function_is_read_as_pcid_wrote_it() {
    let answer = encoded(&theirs::Response::Config(e1000()));
    let Response::Config(function) = Response::decode(&answer).unwrap() else { panic!("not a Config") };
    assert_eq!(function.location, PciAddress::new(0, 1, 3, 2));
    assert_eq!(function.bars[0], Bar::Memory { address: 0xfeb8_0000, size: 0x2_0000 });
    assert_eq!(function.bars[1], Bar::Port);
    assert_eq!(function.bars[2], Bar::Memory { address: 0x38_0000_0000, size: 0x4000 });
    assert_eq!(function.bars[3], Bar::None);
    let words: Vec<_> = function.bar_words().collect();
    assert_eq!(words, [(0x10, 0xfeb8_0000), (0x18, 0), (0x1c, 0x38)]);
    assert_eq!(function.line, Some(InterruptLine("11".to_owned())));
    assert_eq!((function.identity.vendor, function.identity.device), (0x8086, 0x100e));
    assert_eq!((function.identity.class, function.identity.revision), ([2, 0, 0], 3));
}

#[test]
fn a_line_of_a_device_tree_is_a_file_under_its_phandle() {
    let phandled = Some((7, [1, 2, 3], 2));
    let line = Some(theirs::LegacyInterruptLine { irq: 0, phandled });
    let function = theirs::Function { legacy_interrupt_line: line, rom: None, ..e1000() };
    let Ok(Response::Config(function)) = Response::decode(&encoded(&theirs::Response::Config(function)))
    else {
        panic!("not a Config")
    };
    assert_eq!(function.line, Some(InterruptLine("phandle-7/1,2".to_owned())));
}

#[test]
fn the_other_answers_are_read_as_pcid_wrote_them() {
    use theirs::Response as Their;
    let decode = |response: Their| Response::decode(&encoded(&response));
    let msix = theirs::FeatureInfo::MsiX {
        table_bar: 3,
        table_offset: 0x100,
        table_size: 5,
        pba_bar: 3,
        pba_offset: 0x2000,
    };
    let info = MsixInfo { table_bar: 3, table_offset: 0x100, table_size: 5 };
    let msi = theirs::FeatureInfo::Msi {
        log2_multiple_message_capable: 5,
        is_64bit: true,
        has_per_vector_masking: false,
    };
    for (their, ours) in [
        (Their::FeatureEnabled(theirs::Feature::Msi), Response::FeatureEnabled(Feature::Msi)),
        (
            Their::Error(theirs::ResponseError::NonexistentFeature(theirs::Feature::MsiX)),
            Response::NonexistentFeature(Feature::MsiX),
        ),
        (Their::Error(theirs::ResponseError::InvalidBitPattern), Response::InvalidBitPattern),
        (
            Their::FeatureInfo(theirs::Feature::MsiX, msix),
            Response::FeatureInfo(Feature::MsiX, FeatureInfo::MsiX(info)),
        ),
        (
            Their::FeatureInfo(theirs::Feature::Msi, msi),
            Response::FeatureInfo(Feature::Msi, FeatureInfo::Msi),
        ),
        (Their::SetFeatureInfo(theirs::Feature::Msi), Response::SetFeatureInfo(Feature::Msi)),
        (Their::ReadConfig(0x8086_100e), Response::ReadConfig(0x8086_100e)),
        (Their::WriteConfig, Response::WriteConfig),
    ] {
        assert_eq!(decode(their), Ok(ours));
    }
    for never_asked_for in [
        Their::EnabledDevice,
        Their::AllFeatures(vec![theirs::Feature::Msi]),
        Their::VendorCapabilities(vec![vec![1, 2]]),
        Their::FeatureStatus(theirs::Feature::Msi, true),
    ] {
        assert!(matches!(decode(never_asked_for), Err(Malformed::UnknownTag { what: "response", .. })));
    }
}

#[test]
fn a_truncated_or_longer_answer_is_refused() {
    let whole = encoded(&theirs::Response::Config(e1000()));
    for length in 0..whole.len() {
        assert_eq!(Response::decode(&whole[..length]), Err(Malformed::Truncated), "{length} bytes");
    }
    let mut longer = whole;
    longer.extend([0, 0]);
    assert_eq!(Response::decode(&longer), Err(Malformed::Trailing(2)));
}

proptest! {
    #[test]
    fn garbage_is_no_panic(variant in 0u32..12, bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut message = variant.to_le_bytes().to_vec();
        message.extend(&bytes);
        let _ = Response::decode(&message);
        let _ = Response::decode(&bytes);
    }

    #[test]
    fn a_damaged_answer_is_no_panic(at in 0usize..80, value: u8) {
        let mut message = encoded(&theirs::Response::Config(e1000()));
        let at = at % message.len();
        message[at] = value;
        let _ = Response::decode(&message);
    }
}

/// pcid behind a channel: answers a write, then lets the answer be read a few bytes at a time.
#[derive(Default)]
struct Pcid {
    config: [u32; 4],
    answer: VecDeque<u8>,
    /// Said instead of the next answer.
    instead: Option<Vec<u8>>,
}

impl Pcid {
    fn respond(&mut self, request: theirs::Request) -> theirs::Response {
        use theirs::{Request, Response, ResponseError};
        match request {
            Request::RequestConfig => Response::Config(e1000()),
            Request::ReadConfig(offset) => Response::ReadConfig(self.config[usize::from(offset / 4)]),
            Request::WriteConfig(offset, value) => {
                self.config[usize::from(offset / 4)] = value;
                Response::WriteConfig
            }
            Request::FeatureInfo(feature) => Response::Error(ResponseError::NonexistentFeature(feature)),
            Request::EnableFeature(feature) => Response::FeatureEnabled(feature),
            Request::SetFeatureInfo(_) => Response::Error(ResponseError::InvalidBitPattern),
            _ => Response::EnabledDevice,
        }
    }
}

impl Write for Pcid {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        assert!(self.answer.is_empty(), "a request before the answer was read");
        let request = bincode::deserialize(buf).map_err(io::Error::other)?;
        let body = encoded(&self.respond(request));
        let message = [(body.len() as u64).to_le_bytes().to_vec(), body].concat();
        self.answer.extend(self.instead.take().unwrap_or(message));
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Pcid {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = buf.len().min(5);
        self.answer.read(&mut buf[..length])
    }
}

#[test]
fn a_channel_carries_requests_and_answers_in_turn() {
    let mut channel = Channel::new(Pcid::default());
    assert_eq!(channel.config().unwrap().identity.device, 0x100e);
    channel.write_config(4, 0x107).unwrap();
    assert_eq!(channel.transport().config[1], 0x107);
    assert_eq!(channel.read_config(4).unwrap(), 0x107);
    assert_eq!(channel.feature_info(Feature::MsiX).unwrap(), None);
    channel.enable(Feature::Msi).unwrap();
    assert!(channel.set_msi(0xfee0_0001, 0).is_err(), "pcid refused");
}

#[test]
fn nonsense_from_pcid_is_an_error() {
    let absurd = u64::MAX.to_le_bytes().to_vec();
    let silence = Vec::new();
    let wrong_kind = [4u64.to_le_bytes().to_vec(), 10u32.to_le_bytes().to_vec()].concat();
    for instead in [absurd, silence, wrong_kind] {
        let mut channel = Channel::new(Pcid { instead: Some(instead), ..Pcid::default() });
        assert!(channel.config().is_err());
    }
}

#[test]
fn an_answer_that_is_cut_off_ends_the_use_of_the_channel() {
    let too_long = [(1u64 << 20) + 1, 0].map(u64::to_le_bytes).concat();
    let too_short = 100u64.to_le_bytes().to_vec();
    for instead in [too_long, too_short] {
        let mut channel = Channel::new(Pcid { instead: Some(instead), ..Pcid::default() });
        assert!(channel.config().is_err());
        let error = channel.read_config(0).unwrap_err();
        assert!(error.to_string().contains("out of step"), "{error}");
    }
}

#[test]
fn a_whole_answer_that_means_nothing_does_not_end_the_use_of_the_channel() {
    let unknown = [4u64.to_le_bytes().to_vec(), 99u32.to_le_bytes().to_vec()].concat();
    let mut channel = Channel::new(Pcid { instead: Some(unknown), ..Pcid::default() });
    assert!(channel.config().is_err());
    assert_eq!(channel.config().unwrap().identity.device, 0x100e);
}

#[test]
fn only_a_number_that_a_descriptor_can_have_names_the_channel() {
    assert_eq!(channel::descriptor("5"), Some(5));
    for wrong in ["-1", "-2147483648", "2147483648", "", "five", "5 "] {
        assert_eq!(channel::descriptor(wrong), None, "{wrong:?}");
    }
}
