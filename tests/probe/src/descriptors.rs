//! Descriptors that are sent to a scheme, or asked of it, by the kernel's two requests for that.

use std::error::Error;
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;

use libredox::call;
use syscall::flag::CallFlags;

/// Sends the scheme `name` a descriptor, asks it for one, and prints what it says to either.
pub fn exchange(name: &str) -> Result<(), Box<dyn Error>> {
    let root = OpenOptions::new().read(true).write(true).open(format!("/scheme/{name}"))?;
    let number = root.as_raw_fd() as usize;
    let sent = call::call_wo(number, &number.to_ne_bytes(), CallFlags::FD | CallFlags::FD_CLONE, &[]);
    // The receiver's table chooses the number.
    let mut received = usize::MAX.to_ne_bytes();
    let received = call::call_ro(number, &mut received, CallFlags::FD, &[]);
    for (what, answer) in [("sent", sent), ("received", received)] {
        match answer {
            Ok(_) => println!("{name}: {what}"),
            Err(error) => println!("{name}: not {what}: {error}"),
        }
    }
    Ok(())
}
