//! What daemons do at their start, and at that of the programs which they start.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

/// Sends the `log` crate's records to standard error, one line each, as `LEVEL name: text`. The level is
/// `info`, or what the environment variable `LOG` says (`error`, `warn`, `info`, `debug`, `trace`).
pub fn start_logging(name: &'static str) {
    let wanted = std::env::var("LOG").ok();
    let level = wanted.as_deref().map_or(Some(LevelFilter::Info), |text| text.parse().ok());
    // A second call changes nothing.
    if log::set_boxed_logger(Box::new(StandardError { name })).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
    if level.is_none() {
        let wanted = wanted.unwrap_or_default();
        log::warn!("LOG={wanted} is no level (error, warn, info, debug, trace): logging at info");
    }
}

struct StandardError {
    name: &'static str,
}

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}: {}\n", record.level(), self.name, record.args());
            // There is nobody to tell that nobody can be told.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Tells the parent that this daemon serves: writes one zero byte to the descriptor named by `INIT_NOTIFY`
/// (Redox's init and pcid-spawner, and our spawner), and closes it. Nothing happens without that variable, so
/// that a daemon can be started by hand, nor at a second call.
pub fn ready() -> io::Result<()> {
    static TOLD: Once = Once::new();
    let mut result = Ok(());
    TOLD.call_once(|| result = tell_parent());
    result
}

fn tell_parent() -> io::Result<()> {
    let Some(text) = std::env::var_os("INIT_NOTIFY") else { return Ok(()) };
    let number = text.to_str().and_then(|text| text.parse::<RawFd>().ok()).filter(|&number| number > 2);
    let number = number.ok_or_else(|| {
        let message = format!("INIT_NOTIFY={} names no descriptor above 2", text.display());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })?;
    // SAFETY: the parent opened this descriptor for this one use, and says so by the variable; it is taken
    // once in the life of the process.
    let mut parent = unsafe { File::from_raw_fd(number) };
    parent.write_all(&[0])
}

/// Keeps the descriptors that are open now, all but the standard ones, from the programs that this process
/// starts afterwards. It takes Linux 5.11.
#[cfg(target_os = "linux")]
pub fn keep_descriptors() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC as libc::c_int;
    // SAFETY: this closes nothing in this process, where all descriptors stay as their owners have them.
    match unsafe { libc::close_range(3, libc::c_uint::MAX, flags) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
