//! The user's terminal, lent to a guest's console.

use std::io::{self, IsTerminal};

use rustix::fs::{fcntl_getfl, fcntl_setfl};
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

/// Lets a guest have the terminal, and sets it right afterwards.
///
/// # Errors
/// There is no terminal, or the guest's own error.
pub fn lend(guest: impl FnOnce() -> super::Result) -> super::Result {
    let terminal = io::stdin();
    if !terminal.is_terminal() {
        return Err("standard input is no terminal; to run a script in the guest: --exec FILE (or -)".into());
    }
    let modes = tcgetattr(&terminal)?;
    let flags = fcntl_getfl(&terminal)?;
    let result = guest();
    tcsetattr(&terminal, OptionalActions::Drain, &modes)?;
    fcntl_setfl(&terminal, flags)?;
    result
}

/// The terminal's rows and columns, which a serial line does not tell.
pub fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdin()).ok()?;
    Some((size.ws_row, size.ws_col)).filter(|(rows, columns)| *rows > 0 && *columns > 0)
}
