//! A name server that says anything.

use config::dns::{self, Family};

/// Reads `data` as the answer to a question, of both families; its number may be right.
pub fn run(data: &[u8]) {
    let id = data.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    for family in [Family::Ipv4, Family::Ipv6] {
        if let Ok(Some(address)) = dns::address(id, data, family) {
            assert_eq!(address.is_ipv4(), family == Family::Ipv4);
        }
    }
    if let Ok(name) = std::str::from_utf8(data)
        && let Ok(question) = dns::question(id, name, Family::Ipv4)
    {
        assert!(dns::address(id, &question, Family::Ipv4).is_err(), "a question is no answer");
    }
}
