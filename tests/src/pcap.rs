//! Reads the captures that QEMU's `filter-dump` writes
//! (pcap, draft-ietf-opsawg-pcap, with the writer's byte order and microseconds).

use std::fs;
use std::path::Path;

use crate::{Context, Error, Result};

const MAGIC: [u8; 4] = 0xa1b2_c3d4_u32.to_ne_bytes();
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// The frames in a capture, in the order in which they passed.
pub fn read(path: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = fs::read(path).context("read", path)?;
    frames(&bytes).ok_or_else(|| Error::Missing(format!("{} is no pcap capture", path.display())))
}

/// A record that was cut off by the writer's end is left out.
fn frames(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    if bytes.get(..4)? != MAGIC {
        return None;
    }
    let mut rest = bytes.get(FILE_HEADER..)?;
    let mut frames = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let length = u32::from_ne_bytes(length.try_into().ok()?) as usize;
        let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + length) else { break };
        frames.push(frame.to_vec());
        rest = rest.get(RECORD_HEADER + length..).unwrap_or_default();
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(frames: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(FILE_HEADER, 0);
        for frame in frames {
            let length = (frame.len() as u32).to_ne_bytes();
            bytes.extend_from_slice(&[0; 8]);
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(frame);
        }
        bytes
    }

    #[test]
    fn every_whole_frame_is_read() {
        let bytes = capture(&[b"first", b"", b"third"]);
        assert_eq!(frames(&bytes).unwrap(), [b"first".to_vec(), b"".to_vec(), b"third".to_vec()]);
        assert_eq!(frames(&bytes[..bytes.len() - 1]).unwrap().len(), 2, "the last one is cut off");
        assert_eq!(frames(b"something else that is long enough"), None);
    }
}
