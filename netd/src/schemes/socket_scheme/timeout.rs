//! `SO_RCVTIMEO` and `SO_SNDTIMEO`, and their text in `read_timeout` and `write_timeout`.

use std::time::Duration;

use scheme::errno::EINVAL;
use scheme::{Error, EventFlags, Result, TimeSpec};

use crate::schemes::message::Verb;
use crate::schemes::option::SocketOption;

/// How long the operations of a handle may wait, if not for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Limits {
    /// The limit of one direction.
    pub(super) fn of(self, direction: EventFlags) -> Option<Duration> {
        if direction == EventFlags::EVENT_READ { self.read } else { self.write }
    }

    /// With another limit in one direction.
    pub(super) fn with(self, direction: EventFlags, limit: Option<Duration>) -> Self {
        match direction {
            EventFlags::EVENT_READ => Self { read: limit, ..self },
            _ => Self { write: limit, ..self },
        }
    }
}

/// The direction whose limit `getsockopt` asks for, if that is what a call's metadata say.
pub(super) fn asked_for(metadata: &[u64]) -> Option<EventFlags> {
    let (Verb::GetSockOpt, _) = Verb::parse(metadata)? else { return None };
    match SocketOption::parse(metadata).ok()? {
        SocketOption::ReceiveTimeout => Some(EventFlags::EVENT_READ),
        SocketOption::SendTimeout => Some(EventFlags::EVENT_WRITE),
        _ => None,
    }
}

/// The limit as `getsockopt` gives it, as much as is wanted: a `struct timeval`, whose seconds and microseconds are
/// words of 64 bits.
pub(super) fn put(limit: Option<Duration>, payload: &mut [u8]) -> Result<usize> {
    let limit = limit.unwrap_or_default();
    let text = [limit.as_secs(), limit.subsec_micros().into()].map(u64::to_ne_bytes).concat();
    let count = text.len().min(payload.len());
    payload[..count].copy_from_slice(&text[..count]);
    Ok(count)
}

/// A TimeSpec as relibc writes it: seconds (i64) and nanoseconds (i32, then 4 bytes of nothing). Zero is no limit.
pub(super) fn parse(text: &[u8]) -> Result<Option<Duration>> {
    let (seconds, rest) = text.split_first_chunk::<8>().ok_or(Error::new(EINVAL))?;
    let nanoseconds = rest.first_chunk::<4>().filter(|_| text.len() == size_of::<TimeSpec>());
    let nanoseconds = i32::from_ne_bytes(*nanoseconds.ok_or(Error::new(EINVAL))?);
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).map_err(|_| Error::new(EINVAL))?;
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    let limit = Duration::new(seconds, nanoseconds.ok_or(Error::new(EINVAL))?);
    Ok((!limit.is_zero()).then_some(limit))
}

/// The text of `limit`, as much as fits.
pub(super) fn read(limit: Option<Duration>, buf: &mut [u8]) -> Result<usize> {
    let limit = limit.unwrap_or_default();
    let mut text = [0; size_of::<TimeSpec>()];
    text[..8].copy_from_slice(&limit.as_secs().to_ne_bytes());
    text[8..12].copy_from_slice(&limit.subsec_nanos().to_ne_bytes());
    let count = text.len().min(buf.len());
    buf[..count].copy_from_slice(&text[..count]);
    Ok(count)
}
