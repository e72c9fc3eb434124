//! What a driver can be told beside its link: settings by their names, in files of its scheme.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// A file of a driver's scheme with a setting a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Panel {
    /// What the device could do, and whether it does.
    Features,
    /// How interrupts are gathered.
    Coalesce,
    /// How many frames the device holds.
    Rings,
    /// How the device comes by its link's speed and duplex.
    Media,
    /// What the stopped device wakes the machine for.
    Wake,
}

impl Panel {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Features, Self::Coalesce, Self::Rings, Self::Media, Self::Wake];

    /// The file's name, which is the key's in `netd.toml` too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Coalesce => "coalesce",
            Self::Rings => "rings",
            Self::Media => "media",
            Self::Wake => "wake",
        }
    }
}

/// The settings of one file, by their names.
pub type Settings = BTreeMap<String, Setting>;

/// What a setting can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// On or off.
    Switch(bool),
    /// So many.
    Number(u32),
}

const EXPECTED: &str = "a setting: on, off or a number";

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::Switch(true)),
            "off" => Ok(Self::Switch(false)),
            _ => text.parse().map(Self::Number).map_err(|_| format!("{text:?} is not {EXPECTED}")),
        }
    }
}

/// As a driver takes it.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(true) => f.write_str("on"),
            Self::Switch(false) => f.write_str("off"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// As it stands in `netd.toml`.
impl From<Setting> for toml::Value {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Switch(on) => on.into(),
            Setting::Number(number) => i64::from(number).into(),
        }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Reads a setting where it stands, so that an error knows its line.
struct Reader;

impl Visitor<'_> for Reader {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting: true, false or a number from 0 to 4294967295")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Setting, E> {
        Ok(Setting::Switch(on))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Setting, E> {
        let found = de::Unexpected::Signed(number);
        u32::try_from(number).map(Setting::Number).map_err(|_| E::invalid_value(found, &self))
    }
}
