//! The part of bincode 1.3's default format that pcid's messages are made of: fixed-size little-endian
//! integers, a `u32` before each enum, one byte before each option.

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end inside a value.
    #[error("the message is cut short")]
    Truncated,
    /// A tag has no meaning.
    #[error("the message has an unknown {what} {tag}")]
    UnknownTag {
        /// What it should have chosen.
        what: &'static str,
        /// What it is.
        tag: u32,
    },
    /// There is more than the message.
    #[error("the message is {0} bytes too long")]
    Trailing(usize),
}

/// Takes values from the front of a message.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*array)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(Malformed::UnknownTag { what: "boolean", tag: tag.into() }),
        }
    }

    pub fn option<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => value(self).map(Some),
            tag => Err(Malformed::UnknownTag { what: "option", tag: tag.into() }),
        }
    }

    /// The message must end here.
    pub fn end(&self) -> Result<(), Malformed> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(Malformed::Trailing(left)),
        }
    }
}
