//! What every daemon does at its start: logging, and telling its parent that it is ready.

use std::io;

/// Sends the `log` crate's records to standard error, one line each, as `LEVEL name: text`. The level is
/// `info`, or what the environment variable `LOG` says (`error`, `warn`, `info`, `debug`, `trace`).
pub fn start_logging(_name: &'static str) {
    todo!()
}

/// Tells the parent that this daemon serves: writes one zero byte to the descriptor named by `INIT_NOTIFY`
/// (Redox's init and pcid-spawner, and our spawner). Nothing happens without that variable, so that a daemon
/// can be started by hand.
pub fn ready() -> io::Result<()> {
    todo!()
}
