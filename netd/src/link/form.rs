//! Frames as a driver gives and takes them: as they are on the wire, or behind a header that tells more.

use scheme::vnet::{Form, Header};

use crate::stack::packet::Packet;

/// A received frame, and what the driver says of it.
pub type Received = (Header, Vec<u8>);

/// The frame in what a driver gives, and what that says of it; `None` if it is none.
pub fn open(form: Form, bytes: &[u8]) -> Option<(Header, &[u8])> {
    match form {
        Form::Plain => Some((Header::default(), bytes)),
        Form::Vnet => {
            let (header, frame) = bytes.split_first_chunk()?;
            let header = Header::parse(header).ok()?;
            header.checksum.fits(frame.len()).then_some((header, frame))
        }
    }
}

/// How many bytes the driver takes for a frame.
pub fn length(form: Form, packet: &Packet) -> usize {
    form.header() + packet.len()
}

/// Whether the driver takes a frame. What was queued for another, which makes segments, is lost to one that does not: TCP
/// sends it again.
pub fn suits(form: Form, packet: &Packet) -> bool {
    form == Form::Vnet || !packet.is_several()
}

/// Appends a frame to `bytes` as the driver takes it. What the driver does not do for it is done here.
pub fn append(form: Form, mut packet: Packet, bytes: &mut Vec<u8>) {
    match form {
        Form::Plain => packet.finish(),
        Form::Vnet => bytes.extend(packet.left().bytes()),
    }
    bytes.extend_from_slice(&packet);
}

#[cfg(test)]
mod tests {
    use scheme::vnet::Checksum;

    use super::*;

    #[test]
    fn a_frame_whose_header_lies_is_none() {
        let bytes = |header: Header| [&header.bytes()[..], &[7; 60]].concat();
        let partial =
            |offset| Header { checksum: Checksum::Partial { start: 34, offset }, ..Header::default() };
        assert_eq!(open(Form::Vnet, &bytes(partial(24))), Some((partial(24), &[7; 60][..])));
        assert_eq!(open(Form::Vnet, &bytes(partial(25))), None);
        assert_eq!(open(Form::Vnet, &[0xff; 60]), None);
        assert_eq!(open(Form::Vnet, &[0; 11]), None);
        assert_eq!(open(Form::Plain, &[0xff; 60]), Some((Header::default(), &[0xff; 60][..])));
    }
}
