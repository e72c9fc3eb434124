//! Archives in the "newc" format, of which Linux unpacks its first file system
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

/// An archive in the making. Archives may be joined end to end: Linux unpacks one after the other.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

impl Archive {
    /// Adds a directory. Directories come before what is in them.
    pub fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY | 0o755, &[]);
    }

    /// Adds a file with these permissions.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.entry(path, REGULAR | permissions, content);
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) {
        self.entry(path, SYMLINK | 0o777, target.as_bytes());
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        let path = path.trim_start_matches('/');
        self.entries += 1;
        let links = 1;
        let (owner, group, time, device) = (0, 0, 0, 0);
        let header = [
            self.entries,
            mode,
            owner,
            group,
            links,
            time,
            length(content),
            device,
            device,
            device,
            device,
            length(path.as_bytes()) + 1,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in header {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Names and contents begin at multiples of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The format's lengths have 32 bits.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_header_name_and_content_each_padded_to_four() {
        let mut archive = Archive::default();
        archive.file("/etc/hi", 0o644, b"hello");
        let bytes = archive.finish();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[14..22], b"000081a4", "mode");
        assert_eq!(&bytes[54..62], b"00000005", "length of the content");
        assert_eq!(&bytes[94..102], b"00000007", "length of the name with its zero");
        assert_eq!(&bytes[110..117], b"etc/hi\0");
        assert_eq!(&bytes[120..125], b"hello");
        assert_eq!(&bytes[128..134], b"070701", "the next entry begins at a multiple of four");
        assert_eq!(&bytes[bytes.len() - 14..], b"TRAILER!!!\0\0\0\0");
    }
}
