//! Frames on their way out: which may be sent, and what the driver does for them that the device does not.

use std::borrow::Cow;

use scheme::errno::{EAGAIN, EINVAL};
use scheme::{Error, Result, checksum, vlan, vnet};

use crate::driver::Settings;
use crate::features::Features;
use crate::frame::{Checksum, Form, Frame, HEADER, MINIMUM, VLAN_TAG, is_tagged};
use crate::port::SharedPort;
use crate::rate_limit::RateLimit;

/// Why a frame is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    /// Shorter than a header, or longer than what the MTU allows.
    #[error("a frame of {len} bytes is not sent: the MTU {mtu} allows {HEADER} to {most}")]
    Length {
        /// Its bytes.
        len: usize,
        /// The MTU.
        mtu: usize,
        /// What that allows.
        most: usize,
    },
    /// There is no header before it.
    #[error("{0} bytes are not sent: they are no header and frame")]
    NoHeader(usize),
    /// Its header makes no sense.
    #[error("a frame is not sent: {0}")]
    Header(#[from] vnet::Unknown),
    /// Its checksum would stand outside of it.
    #[error("a frame of {0} bytes is not sent: it has no place for its checksum")]
    NoPlace(usize),
    /// It is to be segmented.
    #[error("a frame is not sent: the device makes no segments of it")]
    Segments,
}

/// Queues a frame to be sent; `EAGAIN` if there is no room for it.
pub fn queue(port: &SharedPort, refusals: &mut RateLimit, bytes: &[u8], form: Form) -> Result<usize> {
    let mut port = port.borrow_mut();
    let allowed = open(bytes, form).and_then(|(header, frame)| {
        check(header, frame, &port.settings)?;
        Ok((header, frame))
    });
    let (header, frame) = match allowed {
        Ok(allowed) => allowed,
        Err(reason) => {
            refusals.warn(port.now, || reason.to_string());
            return Err(Error::new(EINVAL));
        }
    };
    let (left, frame) = prepare(header, frame, port.settings.features);
    let mut frame = Frame::from_bytes(&port.pools.transmit, &frame).ok_or(Error::new(EAGAIN))?;
    frame.metadata.transport_checksum = left.checksum;
    frame.metadata.vlan = left.vlan;
    port.transmit.push_back(frame);
    Ok(bytes.len())
}

/// The frame, and the header that it has in this form.
fn open(bytes: &[u8], form: Form) -> std::result::Result<(vnet::Header, &[u8]), Refused> {
    match form {
        Form::Plain => Ok((vnet::Header::default(), bytes)),
        Form::Vnet => {
            let (header, frame) = bytes.split_first_chunk().ok_or(Refused::NoHeader(bytes.len()))?;
            Ok((vnet::Header::parse(header)?, frame))
        }
    }
}

fn check(header: vnet::Header, frame: &[u8], settings: &Settings) -> std::result::Result<(), Refused> {
    let (len, mtu) = (frame.len(), settings.mtu);
    let most = mtu + HEADER + if is_tagged(frame) { VLAN_TAG } else { 0 };
    if header.segments.is_some() {
        return Err(Refused::Segments);
    }
    if !(HEADER..=most).contains(&len) {
        return Err(Refused::Length { len, mtu, most });
    }
    if header.checksum.fits(len) { Ok(()) } else { Err(Refused::NoPlace(len)) }
}

/// Checksums that stand farther in a frame than this are none for devices, many of which count in 8 bits.
const REACH: u16 = 0xff;

/// Where TCP and UDP have their checksums: devices know of no others.
const OFFSETS: [u16; 2] = [16, 6];

/// What the device shall do for the frame, and the frame with what it does not do.
fn prepare(header: vnet::Header, frame: &[u8], features: Features) -> (vnet::Header, Cow<'_, [u8]>) {
    let (mut left, mut prepared) = (header, Cow::from(frame));
    match header.checksum {
        Checksum::Partial { start, offset } if !can_fill_in(features, frame, start, offset) => {
            checksum::complete(prepared.to_mut(), start, offset);
            left.checksum = Checksum::Unknown;
        }
        Checksum::Partial { .. } => (),
        _ => left.checksum = Checksum::Unknown,
    }
    if let Some(control) = header.vlan.filter(|_| !features.contains(Features::TX_VLAN)) {
        vlan::insert(prepared.to_mut(), control);
        left.vlan = None;
        if let Checksum::Partial { start, .. } = &mut left.checksum {
            *start += VLAN_TAG as u16;
        }
    }
    (left, prepared)
}

/// Whether the device fills in a checksum that stands there.
fn can_fill_in(features: Features, frame: &[u8], start: u16, offset: u16) -> bool {
    features.contains(Features::TX_CHECKSUM)
        // QEMU's devices take what a frame is padded with for a part of its packet.
        && frame.len() >= MINIMUM
        // A tag may come before it.
        && start <= (REACH - VLAN_TAG as u16).saturating_sub(offset)
        && OFFSETS.contains(&offset)
}
