use std::io::{Read, Write};

use scheme::Error;
use scheme::pipe::pipe;

use super::*;
use crate::buffer::tests::pool;

/// A frame as it stands in a stream.
fn encoded(frame: &[u8]) -> Vec<u8> {
    [&(frame.len() as u16).to_le_bytes()[..], frame].concat()
}

/// What `sender` has to send, if all of it can be.
fn sent(sender: &mut Sender) -> (Vec<Vec<u8>>, Progress) {
    let mut frames = Vec::new();
    let progress = sender.read(|frame, _| {
        frames.push(frame.to_vec());
        Ok(frame.len())
    });
    (frames, progress)
}

#[test]
fn frames_are_found_again_wherever_the_stream_was_cut() {
    let frames: Vec<_> = (0..20_u8).map(|number| vec![number; 14 + 70 * usize::from(number)]).collect();
    let stream = frames.iter().flat_map(|frame| encoded(frame)).collect::<Vec<_>>();
    for size in [1, 7, 1000] {
        let (reader, mut writer) = pipe().unwrap();
        let mut sender = Sender::new(reader, Form::Plain);
        let mut found = Vec::new();
        for piece in stream.chunks(size) {
            writer.write_all(piece).unwrap();
            let (more, progress) = sent(&mut sender);
            found.extend(more);
            assert_eq!(progress, Progress::Idle);
        }
        assert_eq!(found, frames, "in pieces of {size} bytes");
        drop(writer);
        assert_eq!(sent(&mut sender), (Vec::new(), Progress::Ended));
    }
}

#[test]
fn a_frame_without_room_is_kept_and_one_that_is_refused_is_not() {
    let (reader, mut writer) = pipe().unwrap();
    let mut sender = Sender::new(reader, Form::Plain);
    for number in 0..4 {
        writer.write_all(&encoded(&[number; 60])).unwrap();
    }
    let mut taken = Vec::new();
    let progress = sender.read(|frame, _| match frame[0] {
        0 => Err(Error::new(scheme::errno::EINVAL)),
        2 => Err(Error::new(EAGAIN)),
        number => {
            taken.push(number);
            Ok(60)
        }
    });
    assert_eq!((taken, progress), (vec![1], Progress::Blocked));
    assert_eq!(sent(&mut sender), (vec![vec![2; 60], vec![3; 60]], Progress::Idle));
}

#[test]
fn the_longest_frame_fits_and_one_without_end_does_not_hold_the_driver() {
    let (reader, mut writer) = pipe().unwrap();
    let mut sender = Sender::new(reader, Form::Plain);
    let longest = encoded(&[7; u16::MAX as usize]);
    let mut rest = &longest[..];
    let mut found = Vec::new();
    while found.is_empty() {
        rest = &rest[writer.write(rest).unwrap_or_default()..];
        found.extend(sent(&mut sender).0);
    }
    assert_eq!(found, [vec![7; u16::MAX as usize]]);
    // Frames of no bytes: 32,768 of them in a pipe.
    while writer.write(&[0; 4096]).is_ok() {}
    let mut count = 0;
    sender.read(|_, _| {
        count += 1;
        Ok(0)
    });
    assert!(count > 0);
}

#[test]
fn a_reader_that_is_slow_gets_all_in_the_end() {
    let pool = pool(64);
    let mut taps = Taps::new(64);
    let tap = taps.open();
    let (mut reader, writer) = pipe().unwrap();
    let mut receiver = Receiver::new(writer, tap, Form::Plain);
    let frames: Vec<_> = (0..60_u8).map(|number| vec![number; 1514]).collect();
    for frame in &frames {
        assert_eq!(taps.push(crate::Frame::from_bytes(&pool, frame).unwrap()), 0);
    }
    let mut stream = Vec::new();
    while receiver.write(&mut taps) == Progress::Blocked {
        let mut part = vec![0; 10_000];
        let count = reader.read(&mut part).unwrap();
        stream.extend(&part[..count]);
    }
    drop(receiver);
    reader.read_to_end(&mut stream).unwrap();
    assert_eq!(stream, frames.iter().flat_map(|frame| encoded(frame)).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_is_gone_ends_the_stream() {
    let (reader, writer) = pipe().unwrap();
    let pool = pool(64);
    let mut taps = Taps::new(64);
    let mut receiver = Receiver::new(writer, taps.open(), Form::Plain);
    drop(reader);
    assert_eq!(receiver.write(&mut taps), Progress::Idle, "nothing shows it yet");
    taps.push(crate::Frame::from_bytes(&pool, &[0; 60]).unwrap());
    assert_eq!(receiver.write(&mut taps), Progress::Ended);
}
