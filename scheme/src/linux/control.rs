//! What the client library asks of an open file by `ioctl`, since Linux has no system call for it.
//!
//! An ioctl's number says how many bytes go to the server and come back; Linux leaves it 14 bits for that.

use std::os::raw::c_ulong;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Control {
    /// `dup` with a path, with a [`Text`]: the path goes in; the name of the new file, below the directory
    /// of schemes, comes out.
    Dup = 1,
    /// `call`, with a [`CallHeader`] and the payload behind it.
    Call = 2,
    /// `fpath`, with a [`Text`] that comes out.
    Path = 3,
}

/// The `ioctl` type of all of them.
const TYPE: u32 = 0xC5;
/// `_IOC_READ | _IOC_WRITE`
const BOTH_WAYS: u32 = 3;
/// The most bytes that an ioctl can carry.
const MAX_BYTES: usize = (1 << 14) - 1;

/// The longest payload of a call.
pub(crate) const MAX_PAYLOAD: usize = MAX_BYTES - size_of::<CallHeader>();

impl Control {
    /// The ioctl's number, for a buffer of `bytes`; `None` if that is too long.
    pub(super) fn number(self, bytes: usize) -> Option<c_ulong> {
        let bytes = u32::try_from(bytes).ok().filter(|&bytes| bytes as usize <= MAX_BYTES)?;
        Some(c_ulong::from(BOTH_WAYS << 30 | bytes << 16 | TYPE << 8 | self as u32))
    }

    /// What an ioctl's number asks for; `None` if it is none of ours.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        if number >> 30 != BOTH_WAYS || number >> 8 & 0xFF != TYPE {
            return None;
        }
        [Self::Dup, Self::Call, Self::Path].into_iter().find(|control| *control as u32 == number & 0xFF)
    }
}

/// One short text, in or out.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Text {
    /// The file's status flags (Linux's `O_*`), which an ioctl does not carry by itself.
    pub flags: u32,
    length: u32,
    bytes: [u8; Text::ROOM],
}

impl Text {
    /// The longest text.
    pub(super) const ROOM: usize = 1008;

    /// `bytes` as a text; `None` if they are too many.
    pub(super) fn new(flags: u32, bytes: &[u8]) -> Option<Self> {
        let mut text = Self { flags, length: u32::try_from(bytes.len()).ok()?, bytes: [0; Self::ROOM] };
        text.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(text)
    }

    /// The text; `None` if its length is wrong.
    pub(super) fn get(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length as usize)
    }
}

/// Begins the buffer of a call.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct CallHeader {
    /// As in [`Text`].
    pub flags: u32,
    /// How much of `metadata` is given.
    pub metadata_length: u32,
    /// The call's metadata; a scheme on Redox gets as much.
    pub metadata: [u64; 3],
    /// What the scheme answered, on the way out.
    pub result: u64,
}
