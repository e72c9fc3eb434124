//! Which drivers there are: the names under `/scheme` that begin with `network`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::wake::Waker;
use super::worker::STACK;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(250);
/// What a driver's name begins with.
const PREFIX: &str = "network";

/// The names, kept up to date by a thread until this is dropped.
pub struct Scan(Mutex<Vec<String>>);

impl Scan {
    /// Looks under `root` from now on, and wakes the loop when the names change.
    pub fn start(root: PathBuf, waker: Arc<Waker>) -> io::Result<Arc<Self>> {
        let scan = Arc::new(Self(Mutex::new(Vec::new())));
        let weak = Arc::downgrade(&scan);
        thread::Builder::new()
            .name("scan".to_owned())
            .stack_size(STACK)
            .spawn(move || watch(&weak, &root, &waker))?;
        Ok(scan)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn watch(scan: &Weak<Scan>, root: &Path, waker: &Waker) {
    while let Some(scan) = scan.upgrade() {
        let names = list(root);
        let mut known = scan.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != names {
            *known = names;
            waker.wake();
        }
        drop(known);
        drop(scan);
        thread::sleep(INTERVAL);
    }
}

/// A directory that cannot be read has no drivers in it (yet).
fn list(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(PREFIX)).collect();
    names.sort();
    names
}
