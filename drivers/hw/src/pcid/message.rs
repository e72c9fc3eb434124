//! The messages that are used of pcid's channel.

use pci_types::PciAddress;

use super::bincode::{Malformed, Reader};
use crate::Identity;

/// An optional part of a function that pcid manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Msi,
    MsiX,
}

/// What a driver can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `RequestConfig`.
    Config,
    EnableFeature(Feature),
    FeatureInfo(Feature),
    /// `SetFeatureInfo` of MSI: one message, of this address and data.
    SetMsi {
        address: u64,
        data: u32,
    },
    ReadConfig(u16),
    WriteConfig(u16, u32),
}

impl Request {
    /// The bytes of the request; it must go into the channel in one write.
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = self.variant().to_le_bytes().to_vec();
        match self {
            Self::Config => {}
            Self::EnableFeature(feature) | Self::FeatureInfo(feature) => {
                bytes.extend(feature.variant().to_le_bytes());
            }
            Self::SetMsi { address, data } => {
                bytes.extend(Feature::Msi.variant().to_le_bytes());
                // Some(multi_message_enable): 2^0 messages.
                bytes.extend([1, 0]);
                // Some(message_address_and_data).
                bytes.push(1);
                bytes.extend(address.to_le_bytes());
                bytes.extend(data.to_le_bytes());
                // No mask_bits.
                bytes.push(0);
            }
            Self::ReadConfig(offset) => bytes.extend(offset.to_le_bytes()),
            Self::WriteConfig(offset, value) => {
                bytes.extend(offset.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
        }
        bytes
    }

    fn variant(self) -> u32 {
        match self {
            Self::Config => 1,
            Self::EnableFeature(_) => 4,
            Self::FeatureInfo(_) => 5,
            Self::SetMsi { .. } => 6,
            Self::ReadConfig(_) => 7,
            Self::WriteConfig(..) => 8,
        }
    }
}

impl Feature {
    fn variant(self) -> u32 {
        match self {
            Self::Msi => 0,
            Self::MsiX => 1,
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.u32()? {
            0 => Ok(Self::Msi),
            1 => Ok(Self::MsiX),
            tag => Err(Malformed::UnknownTag { what: "feature", tag }),
        }
    }
}

/// What pcid answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    Config(Function),
    FeatureEnabled(Feature),
    NonexistentFeature(Feature),
    InvalidBitPattern,
    FeatureInfo(Feature, FeatureInfo),
    SetFeatureInfo(Feature),
    ReadConfig(u32),
    WriteConfig,
}

impl Response {
    /// Reads an answer, without the length before it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let response = match reader.u32()? {
            1 => Self::Config(Function::decode(&mut reader)?),
            4 => Self::FeatureEnabled(Feature::decode(&mut reader)?),
            6 => Self::decode_error(&mut reader)?,
            7 => Self::FeatureInfo(Feature::decode(&mut reader)?, FeatureInfo::decode(&mut reader)?),
            8 => Self::SetFeatureInfo(Feature::decode(&mut reader)?),
            9 => Self::ReadConfig(reader.u32()?),
            10 => Self::WriteConfig,
            tag => return Err(Malformed::UnknownTag { what: "response", tag }),
        };
        reader.end()?;
        Ok(response)
    }

    fn decode_error(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.u32()? {
            0 => Ok(Self::NonexistentFeature(Feature::decode(reader)?)),
            1 => Ok(Self::InvalidBitPattern),
            tag => Err(Malformed::UnknownTag { what: "error", tag }),
        }
    }
}

/// What a feature is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureInfo {
    Msi,
    MsiX(MsixInfo),
}

/// Where the MSI-X table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsixInfo {
    pub table_bar: u8,
    /// In bytes from the start of the BAR.
    pub table_offset: u32,
    /// In entries.
    pub table_size: u16,
}

impl FeatureInfo {
    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.u32()? {
            0 => {
                let _log2_multiple_message_capable = reader.u8()?;
                let _is_64bit = reader.bool()?;
                let _has_per_vector_masking = reader.bool()?;
                Ok(Self::Msi)
            }
            1 => {
                let info = MsixInfo {
                    table_bar: reader.u8()?,
                    table_offset: reader.u32()?,
                    table_size: reader.u16()?,
                };
                let _pba_bar = reader.u8()?;
                let _pba_offset = reader.u32()?;
                Ok(Self::MsiX(info))
            }
            tag => Err(Malformed::UnknownTag { what: "feature", tag }),
        }
    }
}

/// A base address register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    None,
    Memory { address: u64, size: u64 },
    Port,
}

impl Bar {
    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.u32()? {
            0 => Ok(Self::None),
            1 => Ok(Self::Memory { address: reader.u32()?.into(), size: reader.u32()?.into() }),
            2 => Ok(Self::Memory { address: reader.u64()?, size: reader.u64()? }),
            3 => {
                let _port = reader.u16()?;
                Ok(Self::Port)
            }
            tag => Err(Malformed::UnknownTag { what: "BAR", tag }),
        }
    }
}

/// The file of the irq scheme that a function's line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptLine(pub String);

impl InterruptLine {
    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let irq = reader.u8()?;
        let phandled = reader.option(|reader| {
            let phandle = reader.u32()?;
            let cells = [reader.u32()?, reader.u32()?, reader.u32()?];
            Ok((phandle, cells, reader.u64()?))
        })?;
        let Some((phandle, cells, count)) = phandled else { return Ok(Self(irq.to_string())) };
        let cells: Vec<String> =
            cells.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).map(u32::to_string).collect();
        Ok(Self(format!("phandle-{phandle}/{}", cells.join(","))))
    }
}

/// A function as pcid found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub location: PciAddress,
    pub bars: [Bar; 6],
    pub line: Option<InterruptLine>,
    pub identity: Identity,
}

impl Function {
    /// The BARs as they stand in configuration space, by their offsets there. Bits that tell their kind cannot be written.
    pub fn bar_words(&self) -> impl Iterator<Item = (u16, u32)> {
        (0x10_u16..).step_by(4).zip(&self.bars).flat_map(|(offset, bar)| {
            let address = match bar {
                Bar::Memory { address, .. } => *address,
                Bar::None | Bar::Port => 0,
            };
            let low = (address != 0).then_some((offset, address as u32));
            let high = (address >> 32 != 0).then_some((offset + 4, (address >> 32) as u32));
            low.into_iter().chain(high)
        })
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let location = PciAddress::new(reader.u16()?, reader.u8()?, reader.u8()? & 0x1f, reader.u8()? & 0x7);
        let mut bars = [Bar::None; 6];
        for bar in &mut bars {
            *bar = Bar::decode(reader)?;
        }
        let _rom = reader.option(|reader| Ok((reader.u32()?, reader.u32()?, reader.bool()?)))?;
        let line = reader.option(InterruptLine::decode)?;
        let identity = Identity {
            vendor: reader.u16()?,
            device: reader.u16()?,
            class: [reader.u8()?, reader.u8()?, reader.u8()?],
            revision: reader.u8()?,
        };
        Ok(Self { location, bars, line, identity })
    }
}
