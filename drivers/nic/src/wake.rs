//! What the stopped device wakes the machine for: the `wake` node.

use crate::attributes::{Refused, on_off, parse_on_off, text};

/// What wakes the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// A magic packet for the station: six bytes 255, and then 16 times its address, anywhere in a frame.
    pub magic: bool,
}

/// The line of the node.
const LINES: &str = "`magic on|off`";

impl Wake {
    /// The node's text.
    pub fn lines(self) -> String {
        format!("magic {}\n", on_off(self.magic))
    }

    /// The same with the changes that were written: all of them, or an error.
    pub fn changed(self, written: &[u8]) -> Result<Self, Refused> {
        let mut changed = self;
        for line in text(written)?.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let magic = line.strip_prefix("magic ").and_then(parse_on_off);
            let unknown = || Refused::UnknownLine { line: line.to_owned(), known: LINES };
            changed.magic = magic.ok_or_else(unknown)?;
        }
        Ok(changed)
    }
}
