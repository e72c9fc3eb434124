//! `netd.toml`.

use std::path::Path;

use config::netd::{self, Candidate, Mac};

/// Reads `data` as the file, looks for an interface's table, and reads again what it would be saved as.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let path = Path::new("fuzzed.toml");
    match netd::parse(path, text) {
        Ok(config) => {
            let mac = Some(Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]));
            let candidate = Candidate { name: "eth0", mac, driver: Some("network.pci-0000-00-03.0_e1000") };
            if let Some(interface) = config.find(&candidate) {
                assert!(interface.matches.is_met_by(&candidate));
            }
            let again = netd::parse(path, &config.to_string()).expect("what is saved can be read");
            assert_eq!(again, config);
        }
        Err(error) => assert!(error.to_string().starts_with("fuzzed.toml:"), "{error}"),
    }
}
