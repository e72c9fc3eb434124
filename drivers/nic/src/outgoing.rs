//! Frames on their way out: which may be sent, and what the driver does for them that the device does not.

use std::borrow::Cow;

use scheme::errno::{EAGAIN, EINVAL};
use scheme::pcapng::Direction;
use scheme::vnet::{self, LONGEST};
use scheme::{Error, Result, checksum, vlan};

use crate::frame::{Checksum, Form, Frame, HEADER, VLAN_TAG, is_tagged};
use crate::memory::TRANSMIT_BUFFERS;
use crate::offloads::Offloads;
use crate::port::{Port, SharedPort};
use crate::rate_limit::RateLimit;
use crate::segments::{Cut, Unfit};

/// Segments of a frame, at most: there is room for them when a writer is told that there is room.
const MOST_SEGMENTS: usize = TRANSMIT_BUFFERS as usize / 2;

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
    /// It cannot be several segments.
    #[error("a frame of {0} bytes is not sent: no segments can be made of it: {1}")]
    Unfit(usize, Unfit),
    /// It would be too many segments, or too long ones.
    #[error(
        "a frame of {len} bytes is not sent: it may have {LONGEST}, and is {count} segments of {longest}, of which the \
         MTU {mtu} allows {MOST_SEGMENTS} of {most}"
    )]
    Segments {
        /// Its bytes.
        len: usize,
        /// How many segments it is.
        count: usize,
        /// Bytes of the longest of them.
        longest: usize,
        /// The MTU.
        mtu: usize,
        /// What that allows.
        most: usize,
    },
}

/// Queues a frame to be sent, or the segments that it is where the device does not make them; `EAGAIN` if there is no room
/// for all of it.
pub fn queue(port: &SharedPort, refusals: &mut RateLimit, bytes: &[u8], form: Form) -> Result<usize> {
    let port = &mut *port.borrow_mut();
    let allowed = open(bytes, form).and_then(|(header, frame)| {
        let cut = check(header, frame, port)?;
        Ok((header, frame, cut))
    });
    let (header, frame, cut) = match allowed {
        Ok(allowed) => allowed,
        Err(reason) => {
            refusals.warn(port.now, || reason.to_string());
            return Err(Error::new(EINVAL));
        }
    };
    match cut {
        Some(cut) => {
            if cut.count() * Frame::buffers_for(cut.longest()) > port.pools.transmit.free() {
                return Err(Error::new(EAGAIN));
            }
            let header = vnet::Header { segments: None, ..header };
            cut.segments().try_for_each(|segment| push(port, header, &segment))?;
        }
        None => push(port, header, frame)?,
    }
    Ok(bytes.len())
}

fn push(port: &mut Port, header: vnet::Header, frame: &[u8]) -> Result<()> {
    let (left, frame) = prepare(header, frame, Offloads::of(port));
    let mut frame = Frame::from_bytes(&port.pools.transmit, &frame).ok_or(Error::new(EAGAIN))?;
    frame.metadata.transport_checksum = left.checksum;
    frame.metadata.segments = left.segments;
    frame.metadata.vlan = left.vlan;
    let now = port.now;
    port.captures.record(Direction::Sent, &frame, now);
    port.transmit.push_back(frame);
    Ok(())
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

/// What the frame is to be cut into here, if it is.
fn check<'a>(
    header: vnet::Header,
    frame: &'a [u8],
    port: &Port,
) -> std::result::Result<Option<Cut<'a>>, Refused> {
    let (len, mtu) = (frame.len(), port.settings.mtu);
    let most = mtu + HEADER + if is_tagged(frame) { VLAN_TAG } else { 0 };
    if let Some(segments) = header.segments {
        let cut = Cut::new(frame, segments, header.checksum).map_err(|unfit| Refused::Unfit(len, unfit))?;
        let (count, longest) = (cut.count(), cut.longest());
        if len > LONGEST || count > MOST_SEGMENTS || longest > most {
            return Err(Refused::Segments { len, count, longest, mtu, most });
        }
        return Ok((!Offloads::of(port).make_segments(header, frame, &cut)).then_some(cut));
    }
    if !(HEADER..=most).contains(&len) {
        return Err(Refused::Length { len, mtu, most });
    }
    if header.checksum.fits(len) { Ok(None) } else { Err(Refused::NoPlace(len)) }
}

/// What the device shall do for the frame, and the frame with what it does not do.
fn prepare(header: vnet::Header, frame: &[u8], offloads: Offloads) -> (vnet::Header, Cow<'_, [u8]>) {
    let (mut left, mut prepared) = (header, Cow::from(frame));
    match header.checksum {
        Checksum::Partial { start, offset } if !offloads.fill_in(header, frame) => {
            checksum::complete(prepared.to_mut(), start, offset);
            left.checksum = Checksum::Unknown;
        }
        Checksum::Partial { .. } => (),
        _ => left.checksum = Checksum::Unknown,
    }
    if let Some(control) = header.vlan.filter(|_| !offloads.put_tags_in()) {
        vlan::insert(prepared.to_mut(), control);
        left.vlan = None;
        if let Checksum::Partial { start, .. } = &mut left.checksum {
            *start += VLAN_TAG as u16;
        }
        if let Some(segments) = &mut left.segments {
            segments.header += VLAN_TAG as u16;
        }
    }
    (left, prepared)
}
