//! Which drivers there are: the names under `/scheme` that begin with `network`, and whose function each serves.

use std::collections::BTreeMap;
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

/// The drivers' names as they were seen at one time.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Names this sight; 0 names none.
    version: u64,
    names: Vec<String>,
    by_function: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// The functions that have a driver, in the order of the bus.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.by_function.keys().map(String::as_str)
    }

    /// The drivers of a function, in the order of their names.
    pub fn of(&self, function: &str) -> &[String] {
        self.by_function.get(function).map_or(&[], Vec::as_slice)
    }

    fn update(&mut self, names: Vec<String>) {
        self.version += 1;
        self.by_function.clear();
        for name in &names {
            self.by_function.entry(function(name).to_owned()).or_default().push(name.clone());
        }
        self.names = names;
    }
}

/// `pci-0000-00-03.0` of `network.pci-0000-00-03.0_e1000`; of another name, all of it.
fn function(name: &str) -> &str {
    let rest = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    rest.split_once('_').map_or(rest, |(function, _)| function)
}

/// The names, kept up to date by a thread until this is dropped.
pub struct Scan(Mutex<Names>);

impl Scan {
    /// Looks under `root` from now on, and wakes the loop when the names change.
    pub fn start(root: PathBuf, waker: Arc<Waker>) -> io::Result<Arc<Self>> {
        let scan = Arc::new(Self(Mutex::new(Names::default())));
        let weak = Arc::downgrade(&scan);
        thread::Builder::new()
            .name("scan".to_owned())
            .stack_size(STACK)
            .spawn(move || watch(&weak, &root, &waker))?;
        Ok(scan)
    }

    /// Brings `names` to what was seen last. Whether that is another sight.
    pub fn update(&self, names: &mut Names) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = seen.version != names.version;
        if is_news {
            names.clone_from(&seen);
        }
        is_news
    }
}

fn watch(scan: &Weak<Scan>, root: &Path, waker: &Waker) {
    while let Some(scan) = scan.upgrade() {
        let names = list(root);
        let mut known = scan.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.names != names {
            known.update(names);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_s_drivers_are_told_from_another_s() {
        let mut names = Names::default();
        names.update(
            [
                "network.pci-0000-00-03.0_e1000",
                "network.pci-0000-00-03.0_virtio_net",
                "network.pci-0000-01-00.0_rtl8139",
            ]
            .map(str::to_owned)
            .to_vec(),
        );
        assert_eq!(names.functions().collect::<Vec<_>>(), ["pci-0000-00-03.0", "pci-0000-01-00.0"]);
        assert_eq!(names.of("pci-0000-00-03.0").len(), 2);
        assert_eq!(names.of("pci-0000-02-00.0").len(), 0);
        assert_eq!(function("network"), "network");
        assert_eq!(function("network.test"), "test");
    }
}
