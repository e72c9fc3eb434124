//! The `pcid.d` files: which driver serves which PCI function, by the rules of Redox's pcid-spawner.

mod files;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::files::{load, parse};
pub use crate::document::FileError;

/// Where the files are; one in a later directory replaces one of the same name in an earlier directory.
pub const DIRECTORIES: [&str; 2] = ["/usr/lib/pcid.d", "/etc/pcid.d"];

/// Where a command without a slash at its beginning is found.
pub const DRIVER_DIRECTORY: &str = "/usr/lib/drivers";

/// What a PCI function says of itself in its configuration space (PCI Local Bus 3.0, section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionId {
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
    /// Base class; 2 is a network controller.
    pub class: u8,
    /// Sub-class.
    pub subclass: u8,
    /// Programming interface.
    pub interface: u8,
}

/// One `[[drivers]]` table: a function that meets every condition given is served by `command`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Driver {
    /// For people.
    pub name: Option<String>,
    /// Condition on the base class.
    pub class: Option<u8>,
    /// Condition on the sub-class.
    pub subclass: Option<u8>,
    /// Condition on the programming interface.
    pub interface: Option<u8>,
    /// Condition on the vendor ID; not looked at if there are `ids`.
    pub vendor: Option<u16>,
    /// Condition on the device ID; not looked at if there are `ids`.
    pub device: Option<u16>,
    /// Condition on both: device IDs by vendor ID.
    pub ids: Option<BTreeMap<VendorKey, Vec<u16>>>,
    /// Condition on the device ID; the end is not part of the range.
    pub device_id_range: Option<Range<u16>>,
    /// The program and its arguments.
    pub command: Command,
}

impl Driver {
    /// Whether this driver serves a function with this `id`.
    pub fn matches(&self, id: &FunctionId) -> bool {
        meets(self.class, id.class)
            && meets(self.subclass, id.subclass)
            && meets(self.interface, id.interface)
            && self.matches_vendor_and_device(id)
            && self.device_id_range.as_ref().is_none_or(|range| range.contains(&id.device))
    }

    fn matches_vendor_and_device(&self, id: &FunctionId) -> bool {
        match &self.ids {
            Some(ids) => ids.get(&VendorKey(id.vendor)).is_some_and(|devices| devices.contains(&id.device)),
            None => meets(self.vendor, id.vendor) && meets(self.device, id.device),
        }
    }
}

fn meets<T: PartialEq>(condition: Option<T>, value: T) -> bool {
    condition.is_none_or(|wanted| wanted == value)
}

/// The first of `drivers` that serves a function with this `id`.
pub fn find<'a>(drivers: &'a [Driver], id: &FunctionId) -> Option<&'a Driver> {
    drivers.iter().find(|driver| driver.matches(id))
}

/// A vendor ID as a TOML key, which is text in hexadecimal with or without `0x`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub struct VendorKey(pub u16);

impl TryFrom<String> for VendorKey {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        u16::from_str_radix(key.trim_start_matches("0x"), 16)
            .map(Self)
            .map_err(|_| format!("`{key}` is no vendor ID (hexadecimal, such as 0x8086)"))
    }
}

/// The program and its arguments; there is always a program.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Vec<String>")]
pub struct Command {
    program: String,
    arguments: Vec<String>,
}

impl Command {
    /// The program's file.
    pub fn program(&self) -> PathBuf {
        Path::new(DRIVER_DIRECTORY).join(&self.program)
    }

    /// What follows the program.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl TryFrom<Vec<String>> for Command {
    type Error = &'static str;

    fn try_from(mut words: Vec<String>) -> Result<Self, Self::Error> {
        if words.first().is_none_or(String::is_empty) {
            return Err("`command` names no program");
        }
        let arguments = words.split_off(1);
        let program = words.remove(0);
        Ok(Self { program, arguments })
    }
}

#[cfg(test)]
mod tests;
