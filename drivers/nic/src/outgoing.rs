//! Frames on their way out: which may be sent, and what the driver does for them that the device does not.

use std::borrow::Cow;

use scheme::errno::{EAGAIN, EINVAL};
use scheme::{Error, Result, checksum, vnet};

use crate::driver::Settings;
use crate::features::Features;
use crate::frame::{Checksum, Form, Frame, HEADER, MINIMUM, VLAN_TAG, has_vlan_tag};
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
    let (checksum, frame) = finish(header.checksum, frame, port.settings.features);
    let mut frame = Frame::from_bytes(&port.pools.transmit, &frame).ok_or(Error::new(EAGAIN))?;
    frame.metadata.transport_checksum = checksum;
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
    let most = mtu + HEADER + if has_vlan_tag(frame) { VLAN_TAG } else { 0 };
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

/// What the device shall do for the checksum, and the frame with what it does not do.
fn finish(checksum: Checksum, frame: &[u8], features: Features) -> (Checksum, Cow<'_, [u8]>) {
    match checksum {
        Checksum::Partial { start, offset }
            if !features.contains(Features::TX_CHECKSUM)
                // QEMU's devices take what a frame is padded with for a part of its packet.
                || frame.len() < MINIMUM
                || start > REACH - offset.min(REACH)
                || !OFFSETS.contains(&offset) =>
        {
            let mut whole = frame.to_vec();
            checksum::complete(&mut whole, start, offset);
            (Checksum::Unknown, whole.into())
        }
        Checksum::Partial { .. } => (checksum, frame.into()),
        _ => (Checksum::Unknown, frame.into()),
    }
}
