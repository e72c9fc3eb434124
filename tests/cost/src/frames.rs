//! Raw frames through a driver's scheme: sent, received, and there and back.
//!
//! The first device is on QEMU's user network, which takes all frames and answers ARP; the second one's peer is the
//! test bed's.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use probe::order::{self, Order};

use crate::Outcome;
use crate::measure::Mark;
use crate::way::{Requests, Way};

/// Frames of a batch, and round trips of one.
const SENT: u32 = 500;
const RECEIVED: u32 = 500;
const TRIPS: u32 = 100;

/// The longest frame of an Ethernet without jumbo frames, and the shortest, without their FCS.
pub const LONGEST: u32 = 1514;
pub const SHORTEST: u32 = 60;

/// An address in the user network that nobody else has, and its router, which answers.
const OWN: [u8; 4] = [10, 0, 2, 77];
const ROUTER: [u8; 4] = [10, 0, 2, 2];

/// How long drivers may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// A driver's frames.
struct Driver<W> {
    frames: W,
    address: [u8; 6],
}

/// Measures all of it, in as many batches each.
pub fn run<W: Way>(batches: u16) -> Outcome {
    let [mut router, mut peer] = drivers::<W>()?;
    arp_trips(&mut router, TRIPS / 10)?;
    for length in [SHORTEST, LONGEST] {
        send(&mut router, length, SENT / 10)?;
        for _ in 0..batches {
            let mark = Mark::begin();
            send(&mut router, length, SENT)?;
            mark.tell(&format!("{}-send-{length}", W::NAME), SENT.into());
        }
    }
    wake(&mut peer)?;
    for length in [SHORTEST, LONGEST] {
        for _ in 0..batches {
            receive(&mut peer, length)?;
        }
    }
    for _ in 0..batches {
        let mark = Mark::begin();
        arp_trips(&mut router, TRIPS)?;
        mark.tell(&format!("{}-arp", W::NAME), TRIPS.into());
    }
    Ok(())
}

/// Tells how many frames arrive of a second's worth at each rate.
pub fn rates(rates: &[u32]) -> Outcome {
    let [_, mut peer] = drivers::<Requests>()?;
    wake(&mut peer)?;
    for rate in rates {
        let interval = Duration::from_secs(1) / (*rate).max(1);
        let order = Order { count: *rate, length: LONGEST, interval };
        peer.frames.send(&order.frame(peer.address), 1)?;
        let begin = Mark::begin();
        let count = until_end(&mut peer, |_| ())?;
        eprintln!("cost: {rate} frames a second took {:.2} s", begin.elapsed().as_secs_f64());
        println!("rate {rate} {count}");
    }
    Ok(())
}

/// The drivers of the two devices, in the order of their functions.
fn drivers<W: Way>() -> Result<[Driver<W>; 2], Box<dyn std::error::Error>> {
    let start = Instant::now();
    loop {
        let entries = fs::read_dir("/scheme")?.filter_map(|entry| Some(entry.ok()?.path()));
        let is_driver = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("network"))
        };
        let mut paths: Vec<_> = entries.filter(is_driver).collect();
        paths.sort();
        match <[PathBuf; 2]>::try_from(paths) {
            Ok([first, second]) => return Ok([open(&first)?, open(&second)?]),
            Err(paths) if start.elapsed() > PATIENCE => {
                return Err(format!("two network drivers are needed, and there are {paths:?}").into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn open<W: Way>(path: &Path) -> Result<Driver<W>, Box<dyn std::error::Error>> {
    let failed = |error: io::Error| format!("cannot open {}: {error}", path.display());
    let mut address = [0; 6];
    File::open(path.join("mac")).and_then(|mut file| file.read_exact(&mut address)).map_err(failed)?;
    Ok(Driver { frames: W::open(path).map_err(failed)?, address })
}

/// Sends frames, up to the reply to an ARP request after them: the driver has taken them all by then.
fn send<W: Way>(driver: &mut Driver<W>, length: u32, count: u32) -> Outcome {
    driver.frames.send(&order::filling(driver.address, length as usize), count)?;
    arp_trips(driver, 1)
}

/// A first order: the link may be down until a device is used.
fn wake<W: Way>(driver: &mut Driver<W>) -> Outcome {
    let order = Order { count: 1, length: SHORTEST, interval: Duration::from_secs(1) };
    driver.frames.send(&order.frame(driver.address), 1)?;
    until_end(driver, |_| ())?;
    Ok(())
}

/// From the first frame to the last one.
fn receive<W: Way>(driver: &mut Driver<W>, length: u32) -> Outcome {
    let order = Order { count: RECEIVED, length, interval: Duration::ZERO };
    driver.frames.send(&order.frame(driver.address), 1)?;
    let (mut begin, mut end) = (None, None);
    let count = until_end(driver, |count| match count {
        1 => begin = Some(Mark::begin()),
        RECEIVED => end = Some(Instant::now()),
        _ => {}
    })?;
    match (begin, end) {
        (Some(begin), Some(end)) => {
            begin.tell_until(end, &format!("{}-receive-{length}", W::NAME), u64::from(RECEIVED) - 1);
            Ok(())
        }
        _ => Err(format!("of {RECEIVED} frames {count} came").into()),
    }
}

/// Reads the frames of an order up to its end, and tells their number after each; how many there were.
fn until_end<W: Way>(driver: &mut Driver<W>, mut each: impl FnMut(u32)) -> io::Result<u32> {
    let mut count = 0;
    loop {
        let frame = driver.frames.next()?;
        if order::is_end(frame) {
            return Ok(count);
        }
        if order::is_filling(frame) {
            count += 1;
            each(count);
        }
    }
}

fn arp_trips<W: Way>(driver: &mut Driver<W>, count: u32) -> Outcome {
    let request = arp_request(driver.address);
    for _ in 0..count {
        driver.frames.send(&request, 1)?;
        while !is_arp_reply(driver.frames.next()?) {}
    }
    Ok(())
}

/// Who has the router's address? (RFC 826)
fn arp_request(own: [u8; 6]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(own);
    // Ethernet and IPv4, with addresses of 6 and 4 bytes; a request.
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend(own);
    frame.extend(OWN);
    frame.extend([0; 6]);
    frame.extend(ROUTER);
    frame.resize(SHORTEST as usize, 0);
    frame
}

fn is_arp_reply(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x08, 0x06]) && frame.get(20..22) == Some(&[0, 2])
}
