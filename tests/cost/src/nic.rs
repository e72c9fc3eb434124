//! Raw frames in a Linux, by a driver of ours or by Linux's own: one kind of operation, many times.

use std::io;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use probe::order::{self, Order};

use crate::Outcome;
use crate::busy::Mark;
use crate::frames::{LONGEST, SHORTEST};
use crate::packets::Packets;
use crate::way::{Requests, Way};

/// By what frames go.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// The file `frame` of a driver of ours
    Frame,
    /// A packet socket
    Packet,
}

/// What is done.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Case {
    /// Frames of 60 bytes to the peer
    #[value(name = "send-60")]
    SendShort,
    /// Frames of 1514 bytes to the peer
    #[value(name = "send-1514")]
    SendLong,
    /// Frames of 60 bytes from the peer
    #[value(name = "receive-60")]
    ReceiveShort,
    /// Frames of 1514 bytes from the peer
    #[value(name = "receive-1514")]
    ReceiveLong,
}

/// Frames that are ordered at a time: no more than the smallest ring has room for.
const WAVE: u32 = 50;

/// Whom the frames are from: nobody looks.
const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Does `case` at least so many times by what `path` names; tells how often, and what that took.
pub fn run(kind: Kind, path: &Path, case: Case, units: u32) -> Outcome {
    match kind {
        Kind::Frame => measure(&mut Requests::open(path)?, case, units),
        Kind::Packet => {
            let mut packets = Packets::open(path)?;
            measure(&mut packets, case, units)?;
            Ok(packets.check()?)
        }
    }
}

fn measure(frames: &mut impl Way, case: Case, units: u32) -> Outcome {
    match case {
        Case::SendShort => send(frames, SHORTEST, units),
        Case::SendLong => send(frames, LONGEST, units),
        Case::ReceiveShort => receive(frames, SHORTEST, units),
        Case::ReceiveLong => receive(frames, LONGEST, units),
    }
}

fn send(frames: &mut impl Way, length: u32, units: u32) -> Outcome {
    let frame = order::filling(SOURCE, length as usize);
    // The first ones wait for the link.
    obtain(frames, 1, length)?;
    let mark = Mark::now()?;
    frames.send(&frame, units)?;
    // What ends an order of nothing comes when the peer has all before it.
    obtain(frames, 0, length)?;
    println!("frames {units}");
    mark.tell()
}

fn receive(frames: &mut impl Way, length: u32, units: u32) -> Outcome {
    obtain(frames, 1, length)?;
    let mark = Mark::now()?;
    let mut count = 0;
    while count < units {
        match obtain(frames, WAVE, length)? {
            0 => return Err("no frame came".into()),
            more => count += more,
        }
    }
    println!("frames {count}");
    mark.tell()
}

/// Orders so many frames, and reads them up to the end of the order; how many came.
fn obtain(frames: &mut impl Way, count: u32, length: u32) -> io::Result<u32> {
    frames.send(&Order { count, length, interval: Duration::ZERO }.frame(SOURCE), 1)?;
    let mut came = 0;
    loop {
        let frame = frames.next()?;
        if order::is_end(frame) {
            return Ok(came);
        }
        came += u32::from(order::is_filling(frame));
    }
}
