//! Which local ports are taken.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::error::SocketError;
use super::random::Random;

/// RFC 6335 section 6: the dynamic ports.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 49152..=65535;

/// The local endpoints of one protocol. The unspecified address stands for all addresses.
#[derive(Debug, Default)]
pub struct Ports {
    taken: HashMap<u16, Vec<IpAddr>>,
}

impl Ports {
    /// Takes `wanted`; its port 0 means a random ephemeral one (RFC 6056 algorithm 1). The endpoint taken is
    /// to be given back with [`release`](Self::release).
    pub fn take(&mut self, wanted: SocketAddr, random: &mut Random) -> Result<SocketAddr, SocketError> {
        let mut endpoint = wanted;
        match wanted.port() {
            0 => endpoint.set_port(self.ephemeral(wanted.ip(), random)?),
            port if self.is_free(wanted.ip(), port) => (),
            port => return Err(SocketError::AddressInUse(port)),
        }
        self.taken.entry(endpoint.port()).or_default().push(endpoint.ip());
        Ok(endpoint)
    }

    /// Gives `endpoint` back.
    pub fn release(&mut self, endpoint: SocketAddr) {
        let Some(addresses) = self.taken.get_mut(&endpoint.port()) else { return };
        if let Some(position) = addresses.iter().position(|address| *address == endpoint.ip()) {
            addresses.swap_remove(position);
        }
        if addresses.is_empty() {
            self.taken.remove(&endpoint.port());
        }
    }

    fn ephemeral(&self, address: IpAddr, random: &mut Random) -> Result<u16, SocketError> {
        let count = u64::from(EPHEMERAL.end() - EPHEMERAL.start()) + 1;
        let first = random.next_u64() % count;
        (0..count)
            .map(|step| EPHEMERAL.start() + ((first + step) % count) as u16)
            .find(|port| self.is_free(address, *port))
            .ok_or(SocketError::PortsExhausted)
    }

    fn is_free(&self, address: IpAddr, port: u16) -> bool {
        let Some(addresses) = self.taken.get(&port) else { return true };
        // The versions have nothing to do with each other.
        let mut rivals = addresses.iter().filter(|taken| taken.is_ipv4() == address.is_ipv4());
        match address.is_unspecified() {
            true => rivals.next().is_none(),
            false => rivals.all(|taken| !taken.is_unspecified() && *taken != address),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));

    #[test]
    fn a_port_is_taken_once_and_again_after_its_release() {
        let (mut ports, mut random) = (Ports::default(), Random::new([1, 2]));
        let held = ports.take(SocketAddr::new(HERE, 80), &mut random).unwrap();
        let everywhere = SocketAddr::new(ANY, 80);
        assert_eq!(ports.take(everywhere, &mut random), Err(SocketError::AddressInUse(80)));
        assert_eq!(ports.take(held, &mut random), Err(SocketError::AddressInUse(80)));
        ports.release(held);
        assert_eq!(ports.take(everywhere, &mut random), Ok(everywhere));
    }

    #[test]
    fn ephemeral_ports_are_random_distinct_and_come_back() {
        let (mut ports, mut random) = (Ports::default(), Random::new([3, 4]));
        let wanted = SocketAddr::new(ANY, 0);
        let all: Vec<_> = (0..16_384).map(|_| ports.take(wanted, &mut random).unwrap()).collect();
        assert!(all.windows(2).any(|pair| pair[0].port().wrapping_add(1) != pair[1].port()));
        assert_eq!(ports.take(wanted, &mut random), Err(SocketError::PortsExhausted));
        ports.release(all[77]);
        assert_eq!(ports.take(wanted, &mut random), Ok(all[77]));
    }
}
