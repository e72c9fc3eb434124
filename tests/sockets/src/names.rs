//! What std makes of names.

use std::net::{IpAddr, ToSocketAddrs};

use crate::{Outcome, Peer, equal};

/// The host's name leads to the host; a name that cannot be is refused, and does not wait for ever.
pub fn resolve(peer: &Peer) -> Outcome {
    let name = peer.name.as_deref().ok_or("no name is given")?;
    let found: Vec<_> =
        (name, peer.web).to_socket_addrs().map_err(|error| format!("{name}: {error}"))?.collect();
    let expected = IpAddr::V4(peer.host);
    if !found.iter().any(|address| address.ip() == expected && address.port() == peer.web) {
        return Err(format!("{name} is {found:?}, without {expected}").into());
    }
    // relibc gives no address instead of an error.
    let unknown = ("no-such-host.invalid", peer.web).to_socket_addrs().map(|found| found.collect::<Vec<_>>());
    equal("the addresses of a host that does not exist", unknown.unwrap_or_default(), Vec::new())
}
