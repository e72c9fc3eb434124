//! `pcid.d` files.

use std::path::Path;

use config::pcid::{self, FunctionId};

/// Reads `data` as a file, and looks for drivers in what it says.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match pcid::parse(Path::new("fuzzed.toml"), text) {
        Ok(drivers) => {
            let id = FunctionId { vendor: 0x8086, device: 0x100e, class: 2, subclass: 0, interface: 0 };
            if let Some(driver) = pcid::find(&drivers, &id) {
                assert!(driver.matches(&id));
                assert!(!driver.command.program().as_os_str().is_empty());
            }
        }
        Err(error) => assert!(error.to_string().starts_with("fuzzed.toml:"), "{error}"),
    }
}
