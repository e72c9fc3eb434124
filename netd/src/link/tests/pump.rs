//! The thread that moves the frames of a driver without pipes.

use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};

use scheme::vnet::{Form, Header};

use super::*;
use crate::link::pump;
use crate::link::worker::{FRAME, Shared};

/// What the pump shares with the event loop, and both ends of a driver that keeps frames apart.
fn pump_bed() -> (Arc<Waker>, Arc<Shared>, fs::File, UnixDatagram) {
    let waker = Arc::new(Waker::new().unwrap());
    let shared = Arc::new(Shared::new(waker.clone(), None).unwrap());
    let (driver, ours) = UnixDatagram::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (waker, shared, fs::File::from(OwnedFd::from(ours)), driver)
}

#[test]
fn a_batch_costs_one_wake_up() {
    let (waker, shared, frames, driver) = pump_bed();
    for number in 0..5 {
        driver.send(&[number; 60]).unwrap();
    }
    let own = shared.clone();
    let pump = thread::spawn(move || pump::run(&own, frames, Form::Plain));
    let mut events = scheme::EventLoop::new().unwrap();
    let mut ready = Vec::new();
    events.register(waker.as_raw_fd(), 0, scheme::Interest::Read).unwrap();
    events.wait(Some(PATIENCE), &mut ready).unwrap();
    waker.take().unwrap();
    let (batch, more) = shared.take_received(BUDGET);
    assert_eq!(batch, [0, 1, 2, 3, 4].map(|number| (Header::default(), vec![number; 60])));
    assert!(!more);
    events.wait(Some(Duration::from_millis(50)), &mut ready).unwrap();
    assert_eq!(ready, [], "the five frames were told once");
    shared.stop();
    assert_eq!(pump.join().unwrap(), Ok(()));
}

#[test]
fn a_driver_that_dies_ends_the_pump() {
    let (_waker, shared, ..) = pump_bed();
    let (driver, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let pump = thread::spawn(move || pump::run(&shared, fs::File::from(OwnedFd::from(ours)), Form::Plain));
    let start = Instant::now();
    drop(driver);
    assert_eq!(pump.join().unwrap(), Err("its frames have ended".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_a_driver_sent_before_it_died_is_not_lost() {
    let (_waker, shared, ..) = pump_bed();
    let (mut driver, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    driver.write_all(&[7; 60]).unwrap();
    drop(driver);
    assert!(pump::run(&shared, fs::File::from(OwnedFd::from(ours)), Form::Plain).is_err());
    assert_eq!(shared.take_received(BUDGET).0, [(Header::default(), vec![7; 60])]);
}

#[test]
fn a_driver_may_keep_its_queue_full_while_its_link_is_down() {
    for (is_up, expected) in [(false, Ok(())), (true, Err("it takes no frames".to_owned()))] {
        let (_waker, shared, mut frames, _driver) = pump_bed();
        shared.update(|status| status.is_up = is_up);
        let full = loop {
            if let Err(error) = frames.write(&[0; FRAME]) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        shared.queue(|_| vec![vec![0; 60].into()]);
        let own = shared.clone();
        let pump = thread::spawn(move || pump::run(&own, frames, Form::Plain));
        thread::sleep(PATIENCE + 3 * RETRY);
        shared.stop();
        assert_eq!(pump.join().unwrap(), expected, "with is_up {is_up}");
    }
}
