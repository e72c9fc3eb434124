//! pcid's answers to a driver.

use std::io::{self, Read, Write};

use hw::pcid::channel::{self, Channel};
use hw::pcid::message::{Feature, Response};

/// A pcid that answers `data` in pieces, whatever it is asked.
struct Pcid<'a>(&'a [u8]);

impl Write for Pcid<'_> {
    fn write(&mut self, request: &[u8]) -> io::Result<usize> {
        Ok(request.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Pcid<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(7);
        self.0.read(&mut buffer[..room])
    }
}

/// Takes `data` for one answer, then for a whole conversation, then for the text that names the channel.
pub fn run(data: &[u8]) {
    let _ = Response::decode(data);

    let mut channel = Channel::new(Pcid(data));
    // Each answer takes 8 bytes at least, so this ends.
    while !channel.transport().0.is_empty() {
        let _ = channel.config();
        for feature in [Feature::Msi, Feature::MsiX] {
            let _ = channel.feature_info(feature);
            let _ = channel.enable(feature);
        }
        let _ = channel.set_msi(0xfee0_0000, 0);
        let _ = channel.write_config(4, 7);
        if channel.read_config(4).is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            break;
        }
    }

    if let Ok(text) = std::str::from_utf8(data) {
        assert!(channel::descriptor(text).is_none_or(|number| number >= 0));
    }
}
