//! What goes over the serial console beside the system's own words: frames, which the host takes out again.
//!
//! A frame is `SOH kind payload EOT`. All of the payload but printable ASCII is written `%XX`, so that the console's
//! own treatment of control characters does not touch it. Redox's kernel writes up to 512 bytes in one go, so a
//! frame that is no longer is never torn by what others write.

/// Begins a frame (ASCII's "start of heading").
const START: u8 = 0x01;

/// Ends a frame (ASCII's "end of transmission").
const END: u8 = 0x04;

/// The longest frame, in bytes.
const LONGEST: usize = 512;

/// The most bytes of content that fit into one frame, each as `%XX`.
const CONTENT: usize = (LONGEST - 3) / 3;

/// What a script says to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// It begins.
    Begin,
    /// A piece of its standard output.
    Output(Vec<u8>),
    /// A piece of its standard error.
    Errors(Vec<u8>),
    /// It ended, with this status.
    Status(u8),
}

/// The frames that carry a message. Each is to be written in one go.
pub fn encode(message: &Message) -> Vec<Vec<u8>> {
    match message {
        Message::Begin => vec![frame(b'b', &[])],
        Message::Output(bytes) => bytes.chunks(CONTENT).map(|bytes| frame(b'o', bytes)).collect(),
        Message::Errors(bytes) => bytes.chunks(CONTENT).map(|bytes| frame(b'e', bytes)).collect(),
        Message::Status(status) => vec![frame(b's', status.to_string().as_bytes())],
    }
}

fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![START, kind];
    for byte in content {
        match byte {
            b'%' => frame.extend(b"%25"),
            b' '..=b'~' => frame.push(*byte),
            _ => frame.extend(format!("%{byte:02X}").as_bytes()),
        }
    }
    frame.push(END);
    frame
}

/// What came over the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A frame's message.
    Message(Message),
    /// What the system itself said.
    Console(Vec<u8>),
}

/// Takes the frames out of what comes over the console, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame whose end has not come.
    begun: Option<Vec<u8>>,
}

impl Decoder {
    /// Takes the next bytes. What looks like a frame and is none is left to the console.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut console = Vec::new();
        for &byte in bytes {
            match &mut self.begun {
                None if byte == START => self.begun = Some(Vec::new()),
                None => console.push(byte),
                Some(frame) if byte == END => {
                    match message(frame) {
                        Some(message) => {
                            flush(&mut console, &mut pieces);
                            pieces.push(Piece::Message(message));
                        }
                        None => console.append(frame),
                    }
                    self.begun = None;
                }
                Some(frame) => {
                    frame.push(byte);
                    if frame.len() > LONGEST || !matches!(byte, b' '..=b'~') {
                        console.append(frame);
                        self.begun = None;
                    }
                }
            }
        }
        flush(&mut console, &mut pieces);
        pieces
    }
}

fn flush(console: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
    if !console.is_empty() {
        pieces.push(Piece::Console(std::mem::take(console)));
    }
}

fn message(frame: &[u8]) -> Option<Message> {
    let (kind, content) = frame.split_first()?;
    let content = unescape(content)?;
    match kind {
        b'b' if content.is_empty() => Some(Message::Begin),
        b'o' => Some(Message::Output(content)),
        b'e' => Some(Message::Errors(content)),
        b's' => std::str::from_utf8(&content).ok()?.parse().ok().map(Message::Status),
        _ => None,
    }
}

fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            content.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            content.push(byte);
        }
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_bytes() -> Vec<u8> {
        (0..=255).cycle().take(2000).collect()
    }

    #[test]
    fn every_byte_arrives_and_no_frame_is_longer_than_one_write() {
        let frames = encode(&Message::Output(all_bytes()));
        assert!(frames.iter().all(|frame| frame.len() <= LONGEST));
        let arrived: Vec<u8> = Decoder::default()
            .take(&frames.concat())
            .into_iter()
            .flat_map(|piece| match piece {
                Piece::Message(Message::Output(bytes)) => bytes,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(arrived, all_bytes());
    }

    #[test]
    fn what_the_system_says_between_frames_stays_apart() {
        let mut line = b"kernel: hello\r\n".to_vec();
        line.extend(encode(&Message::Errors(b"50%\n".to_vec())).concat());
        line.extend(b"netd: eth0\r\n");
        line.extend(encode(&Message::Status(7)).concat());
        let mut decoder = Decoder::default();
        // However the bytes are cut.
        let pieces: Vec<_> = line.chunks(1).flat_map(|bytes| decoder.take(bytes)).collect();
        let messages: Vec<_> = pieces.iter().filter(|piece| matches!(piece, Piece::Message(_))).collect();
        assert_eq!(
            messages,
            [&Piece::Message(Message::Errors(b"50%\n".to_vec())), &Piece::Message(Message::Status(7))]
        );
        let console: Vec<u8> = pieces
            .into_iter()
            .flat_map(|piece| match piece {
                Piece::Console(bytes) => bytes,
                Piece::Message(_) => Vec::new(),
            })
            .collect();
        assert_eq!(console, b"kernel: hello\r\nnetd: eth0\r\n");
    }

    #[test]
    fn what_only_looks_like_a_frame_is_the_consoles() {
        for line in [&b"\x01x\x04"[..], b"\x01s300\x04", b"\x01o%4\x04", b"\x01o\n"] {
            let pieces = Decoder::default().take(line);
            assert!(matches!(pieces.as_slice(), [Piece::Console(_)]), "{line:?}: {pieces:?}");
        }
    }
}
