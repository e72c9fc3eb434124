//! A scheme's name in the namespace of its process.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use libredox::error::Error as SystemError;
use redox_scheme::Socket;
use redox_scheme::scheme::register_sync_scheme;

use crate::errno::{EEXIST, ENODEV, ESRCH};
use crate::{Error, Result, SchemeSync};

/// How long a name that is taken may take to show that somebody serves it.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(2);

/// Registers `name` for `scheme`, in the place of a dead server's if there is one; fails with `EEXIST` if a
/// live one has the name.
pub(super) fn register<S: SchemeSync>(socket: &Socket, name: &str, scheme: &mut S) -> Result<()> {
    match register_sync_scheme(socket, name, scheme) {
        Err(Error { errno: EEXIST }) if !answers(name) => {
            log::info!("/scheme/{name} was left behind by a server that died: unlinking it");
            unregister(name)?;
            // With a root of its own: that of the first attempt is closed once requests are read.
            register_sync_scheme(socket, name, scheme)
        }
        result => result,
    }
}

/// Takes `name` out of the namespace. libredox has no call for that.
pub(super) fn unregister(name: &str) -> Result<()> {
    let namespace = libredox::call::getns()?;
    syscall::call::unlinkat(namespace, format!("/scheme/{name}"), 0).map(|_| ())
}

/// Whether somebody serves `name`: the kernel, or the server's heir, says where its process is gone. One who does not
/// answer in time is taken for alive, since nothing shows
/// that he is dead. Asking may block, so a thread does; it ends with the answer.
fn answers(name: &str) -> bool {
    let (sender, receiver) = mpsc::channel();
    let path = format!("/scheme/{name}");
    thread::spawn(move || sender.send(open_and_close(&path).err().map(|error| error.errno())));
    !matches!(receiver.recv_timeout(LIVENESS_TIMEOUT), Ok(Some(ENODEV | ESRCH)))
}

fn open_and_close(path: &str) -> std::result::Result<(), SystemError> {
    libredox::Fd::open(path, libredox::flag::O_PATH | libredox::flag::O_CLOEXEC, 0).map(drop)
}

/// An error of Redox's as an `io::Error`.
pub(super) fn io_error(error: Error) -> io::Error {
    io::Error::from_raw_os_error(error.errno)
}
