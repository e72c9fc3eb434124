//! What a Linux was busy with for a while: in all, and in netd and the drivers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Where the drivers' programs are.
const DRIVERS: &str = "/usr/lib/drivers";

/// The unit of `/proc/stat` (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The unit of `/proc/PID/statm`.
const PAGE: u64 = 4096;

/// A point in time.
#[derive(Debug)]
pub struct Mark {
    at: Instant,
    /// How long the processor has had nothing to do.
    idle: Duration,
    netd: Option<Process>,
    drivers: Vec<Process>,
}

/// How long a process has run, with all its threads.
#[derive(Debug)]
struct Process {
    folder: PathBuf,
    ran: Duration,
}

impl Mark {
    /// Now.
    pub fn now() -> io::Result<Self> {
        let (mut netd, mut drivers) = (None, Vec::new());
        for entry in fs::read_dir("/proc")? {
            let folder = entry?.path();
            // Not every entry is a process, and one that is may end.
            let Ok(name) = fs::read_to_string(folder.join("comm")) else { continue };
            match name.trim() {
                "netd" => netd = Some(Process::of(folder)?),
                name if Path::new(DRIVERS).join(name).exists() => drivers.push(Process::of(folder)?),
                _ => {}
            }
        }
        Ok(Self { idle: idle()?, at: Instant::now(), netd, drivers })
    }

    /// Bytes of memory that netd has from the system.
    pub fn memory(&self) -> u64 {
        let netd = self.netd.as_ref();
        let pages = netd.and_then(|netd| fs::read_to_string(netd.folder.join("statm")).ok());
        let pages = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
        pages.unwrap_or_default() * PAGE
    }

    /// Tells the nanoseconds since then: those that passed, those that the processor was busy, and of these netd's and
    /// the drivers'.
    pub fn tell(self) -> Outcome {
        let passed = self.at.elapsed();
        let busy = passed.saturating_sub(idle()?.saturating_sub(self.idle));
        let netd = self.netd.iter().map(Process::since).sum::<io::Result<Duration>>()?;
        let drivers = self.drivers.iter().map(Process::since).sum::<io::Result<Duration>>()?;
        for (name, time) in [("passed", passed), ("busy", busy), ("netd", netd), ("drivers", drivers)] {
            println!("{name} {}", time.as_nanos());
        }
        Ok(())
    }
}

impl Process {
    fn of(folder: PathBuf) -> io::Result<Self> {
        Ok(Self { ran: ran(&folder)?, folder })
    }

    fn since(&self) -> io::Result<Duration> {
        Ok(ran(&self.folder)?.saturating_sub(self.ran))
    }
}

/// How long the threads of a process have run.
fn ran(folder: &Path) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(folder.join("task"))? {
        // A thread may end.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
        sum += Duration::from_nanos(nanoseconds.unwrap_or_default());
    }
    Ok(sum)
}

fn idle() -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    idle_ticks(&text).map(|ticks| TICK * ticks).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The fourth and the fifth number of the first line: idle, also while something waits for a disk.
fn idle_ticks(stat: &str) -> Option<u32> {
    let mut numbers = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().skip(3);
    Some(numbers.next()?.parse::<u32>().ok()? + numbers.next()?.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_found_in_what_linux_says() {
        assert_eq!(idle_ticks("cpu  10 0 5 100 2 0 3 0 0 0\ncpu0 10 0 5 100 2 0 3 0 0 0\n"), Some(102));
        assert_eq!(idle_ticks("something else"), None);
    }

    #[test]
    fn who_runs_has_run_longer() {
        let process = Process::of(PathBuf::from("/proc/self")).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(20) {}
        assert!(process.since().unwrap() > Duration::ZERO);
    }
}
