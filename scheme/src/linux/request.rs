//! A request as it came from the kernel: checked lengths, nothing else trusted.

use zerocopy::{FromBytes, Immutable, KnownLayout};

use super::abi::InHeader;
use crate::errno::{EINVAL, ENOENT};
use crate::{Error, Result};

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub header: InHeader,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The request in `bytes`; `None` if they are none.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = InHeader::read_from_prefix(bytes).ok()?;
        let body = bytes.get(size_of::<InHeader>()..usize::try_from(header.len).ok()?)?;
        Some(Self { header, body })
    }

    /// Its argument structure, and what follows that.
    pub(super) fn argument<T: FromBytes + KnownLayout + Immutable>(&self) -> Result<(T, &'a [u8])> {
        T::read_from_prefix(self.body).map_err(|_| Error::new(EINVAL))
    }

    /// Its argument where that is one name.
    pub(super) fn name(&self) -> Result<&'a str> {
        name(self.body)
    }
}

/// A name as the kernel writes it, ended by a zero byte. One that is no UTF-8 names nothing in a scheme.
pub(super) fn name(bytes: &[u8]) -> Result<&str> {
    let end = bytes.iter().position(|&byte| byte == 0).ok_or(Error::new(EINVAL))?;
    let name = bytes.get(..end).ok_or(Error::new(EINVAL))?;
    std::str::from_utf8(name).map_err(|_| Error::new(ENOENT))
}
