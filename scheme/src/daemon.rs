//! What daemons do at their start, and at that of the programs which they start.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};

/// Microseconds after 1970-01-01: where the times of captures begin, which count on by themselves.
pub fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

/// Sends the `log` crate's records to standard error, one line each, as `LEVEL name: text`. The level is
/// `info`, or what the environment variable `LOG` says (`error`, `warn`, `info`, `debug`, `trace`).
fn start_logging(name: &'static str) {
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

/// Begins a daemon: to be called first of all in `main`, before any descriptor is opened. Starts logging, and
/// takes the descriptor named by the environment variable `INIT_NOTIFY` (by Redox's init and pcid-spawner, and
/// by our spawner). Without that variable a daemon was started by hand, and has nobody to tell; so it is, after
/// a warning, where the variable names no pipe or socket that is open.
pub fn start(name: &'static str) -> Readiness {
    start_logging(name);
    let parent = std::env::var_os("INIT_NOTIFY").and_then(|text| {
        let parent = take_parent(&text);
        if parent.is_none() {
            log::warn!("INIT_NOTIFY={} is no open pipe above 2: nobody is told of readiness", text.display());
        }
        parent
    });
    Readiness { parent }
}

/// As [`start`], for a daemon that serves schemes: who waits in one of them is told when the daemon is killed, and
/// `last_rites` is done then.
///
/// Linux does the first by itself, and puts a device that was driven at rest, which is what `last_rites` is for: they
/// are not called there. On Redox a second process of the same program does both (`redox/heir.rs`).
#[cfg_attr(target_os = "linux", expect(unused_variables, reason = "the system does it"))]
pub fn start_with_heir(name: &'static str, last_rites: impl FnOnce()) -> Readiness {
    #[cfg(target_os = "redox")]
    let readiness = {
        use crate::redox::heir;
        let readiness = start(name);
        if heir::is_heir() {
            // It is the daemon that tells.
            drop(readiness);
            if let Err(error) = heir::live(last_rites) {
                log::error!("cannot answer for the daemon that died: {error}");
            }
            std::process::exit(0);
        }
        if let Err(error) = heir::start() {
            log::warn!("who waits in this daemon when it is killed will wait on: no heir: {error}");
        }
        readiness
    };
    #[cfg(target_os = "linux")]
    let readiness = start(name);
    readiness
}

/// Where a daemon tells its parent that it serves. A parent whose daemon drops this untold sees the pipe's end.
#[derive(Debug)]
#[must_use = "the parent waits to be told"]
pub struct Readiness {
    parent: Option<File>,
}

impl Readiness {
    /// Tells the parent that this daemon serves: one zero byte, and the end. A daemon whose parent is gone
    /// serves all the same, after a warning.
    pub fn tell(self) {
        // std ignores SIGPIPE: that nobody reads is an error here.
        if let Some(Err(error)) = self.parent.map(|mut parent| parent.write_all(&[0])) {
            log::warn!("INIT_NOTIFY: nobody was told of readiness: {error}");
        }
    }
}

/// The descriptor of which `text` is the number, if the parent can have meant it.
fn take_parent(text: &OsStr) -> Option<File> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let number = text.to_str()?.parse::<RawFd>().ok().filter(|&number| number > 2)?;
    // SAFETY: one that is not open only fails; nothing is closed or changed before it is known for a pipe.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
    let kind = file.metadata().ok()?.file_type();
    let usable = kind.is_fifo() || kind.is_socket();
    // Once in the life of the process, in which it can be owned once.
    (usable && !TAKEN.swap(true, Ordering::Relaxed)).then(|| ManuallyDrop::into_inner(file))
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
