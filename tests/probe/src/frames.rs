//! Numbered frames through a driver's scheme.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use probe::sequence::{self, Tally};
use scheme::client::{self, OpenOptions};

/// To whom the frames go: the host's end, which takes all.
const PEER: [u8; 6] = [0x52, 0x54, 0, 0xbb, 0xbb, 0xbb];

/// How often one that may not wait looks again.
const POLL: Duration = Duration::from_millis(1);

/// Writes the frames numbered below `count`, each by one write, waiting where the driver wants it.
pub fn send(scheme: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let mut file = client::open(scheme, "frame", OpenOptions { write: true, ..OpenOptions::default() })?;
    let start = Instant::now();
    for number in 0..count {
        let frame = sequence::frame(PEER, number);
        let written = file.write(&frame)?;
        if written != frame.len() {
            return Err(format!("frame {number}: {written} of {} bytes were written", frame.len()).into());
        }
    }
    println!("sent {count}");
    eprintln!("probe: {count} frames in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Reads frames until the one before number `count` has come, or none for `idle` seconds. How many this reader has
/// lost its driver tells (`dup` with "lost").
pub fn receive(scheme: &str, count: u32, idle: u64) -> Result<(), Box<dyn Error>> {
    let options = OpenOptions { read: true, nonblocking: true, ..OpenOptions::default() };
    let mut file = client::open(scheme, "frame", options)?;
    println!("listening");
    let mut tally = Tally::default();
    let mut buffer = vec![0; 65536];
    let mut last = Instant::now();
    while tally.next() < count && last.elapsed() < Duration::from_secs(idle) {
        match file.read(&mut buffer) {
            Ok(length) => {
                tally.add(buffer.get(..length).unwrap_or_default());
                last = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(POLL),
            Err(error) => return Err(error.into()),
        }
    }
    let mut lost = String::new();
    client::dup(&file, b"lost")?.read_to_string(&mut lost)?;
    println!("{tally}\nlost {}", lost.trim());
    Ok(())
}

/// Sends back so many of the frames that come, each as it came. Those of other types than the sequence's stay.
pub fn send_back(scheme: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let options = OpenOptions { read: true, write: true, ..OpenOptions::default() };
    let mut file = client::open(scheme, "frame", options)?;
    println!("listening");
    let mut buffer = vec![0; 65536];
    let mut returned = 0;
    while returned < count {
        let length = file.read(&mut buffer)?;
        let frame = buffer.get(..length).unwrap_or_default();
        if sequence::is_of_one(frame) {
            file.write_all(frame)?;
            returned += 1;
        }
    }
    Ok(())
}

/// Opens a driver's frames, which starts its device, and closes them, which stops it.
pub fn reopen(scheme: &str, count: u32) -> Result<(), Box<dyn Error>> {
    let options = OpenOptions { read: true, ..OpenOptions::default() };
    for _ in 0..count {
        let frames = client::open(scheme, "frame", options)?;
        // It is answered after what the open and the close have led to.
        client::open(scheme, "link", options)?;
        drop(frames);
        client::open(scheme, "link", options)?;
    }
    Ok(())
}
