//! Files that take a whole configuration.

use std::path::Path;

use config::netd::{self, Config};
use smoltcp::time::Duration;

/// What errors call the text that was written.
const NAME: &str = "netd.toml";
/// The longest trial, in seconds: a day.
const LONGEST_TRIAL: u64 = 86_400;

/// Such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// `config/apply`: the text is `netd.toml`'s.
    Apply,
    /// `config/try`: before that comes a line with the seconds that a trial lasts.
    Try,
}

impl Document {
    /// The configuration in `text`, and how long it is on trial; or what is wrong with it.
    pub fn parse(self, text: &str) -> Result<(Config, Option<Duration>), String> {
        let (limit, text) = match self {
            Self::Apply => (None, text),
            Self::Try => {
                let (first, text) = text.split_once('\n').unwrap_or((text, ""));
                (Some(limit(first)?), text)
            }
        };
        let config = netd::parse(Path::new(NAME), text).map_err(|error| error.to_string())?;
        Ok((config, limit))
    }
}

fn limit(line: &str) -> Result<Duration, String> {
    let seconds = line.trim().parse().ok().filter(|seconds| (1..=LONGEST_TRIAL).contains(seconds));
    let seconds: u64 = seconds.ok_or_else(|| {
        format!("the first line is {line:?}, not how many seconds the trial lasts: 1 to {LONGEST_TRIAL}")
    })?;
    Ok(Duration::from_secs(seconds))
}
