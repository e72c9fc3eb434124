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
    taken: HashMap<u16, Vec<Holder>>,
}

/// Who holds a port.
#[derive(Clone, Copy, Debug)]
struct Holder {
    address: IpAddr,
    /// It lets others hold it too who let others (`SO_REUSEADDR`).
    shares: bool,
}

impl Ports {
    /// Takes `wanted`; its port 0 means a random ephemeral one (RFC 6056 algorithm 1). The endpoint taken is
    /// to be given back with [`release`](Self::release).
    pub fn take(&mut self, wanted: SocketAddr, random: &mut Random) -> Result<SocketAddr, SocketError> {
        self.hold(wanted, false, random)
    }

    /// As [`take`](Self::take), but others who share may hold the same.
    pub fn share(&mut self, wanted: SocketAddr, random: &mut Random) -> Result<SocketAddr, SocketError> {
        self.hold(wanted, true, random)
    }

    fn hold(
        &mut self,
        wanted: SocketAddr,
        shares: bool,
        random: &mut Random,
    ) -> Result<SocketAddr, SocketError> {
        let (address, mut endpoint) = (wanted.ip(), wanted);
        match wanted.port() {
            0 => endpoint.set_port(self.ephemeral(address, random, |_| true)?),
            port if self.is_free(address, port, shares) => (),
            port => return Err(SocketError::AddressInUse(port)),
        }
        self.taken.entry(endpoint.port()).or_default().push(Holder { address, shares });
        Ok(endpoint)
    }

    /// Gives `endpoint` back.
    pub fn release(&mut self, endpoint: SocketAddr) {
        let Some(holders) = self.taken.get_mut(&endpoint.port()) else { return };
        if let Some(position) = holders.iter().position(|holder| holder.address == endpoint.ip()) {
            holders.swap_remove(position);
        }
        if holders.is_empty() {
            self.taken.remove(&endpoint.port());
        }
    }

    /// A random ephemeral port that nobody holds and that `suits`. It is not taken.
    pub fn ephemeral(
        &self,
        address: IpAddr,
        random: &mut Random,
        suits: impl Fn(u16) -> bool,
    ) -> Result<u16, SocketError> {
        let count = u64::from(EPHEMERAL.end() - EPHEMERAL.start()) + 1;
        let first = random.next_u64() % count;
        (0..count)
            .map(|step| EPHEMERAL.start() + ((first + step) % count) as u16)
            .find(|port| self.is_free(address, *port, false) && suits(*port))
            .ok_or(SocketError::PortsExhausted)
    }

    fn is_free(&self, address: IpAddr, port: u16, shares: bool) -> bool {
        let Some(holders) = self.taken.get(&port) else { return true };
        holders.iter().all(|holder| {
            // The versions have nothing to do with each other.
            let is_other = holder.address.is_ipv4() != address.is_ipv4();
            let is_any = holder.address.is_unspecified() || address.is_unspecified();
            is_other || (shares && holder.shares) || !(is_any || holder.address == address)
        })
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
    fn a_port_is_shared_by_those_who_all_share() {
        let (mut ports, mut random) = (Ports::default(), Random::new([1, 2]));
        let everywhere = SocketAddr::new(ANY, 5353);
        assert_eq!(ports.share(everywhere, &mut random), Ok(everywhere));
        assert_eq!(ports.share(everywhere, &mut random), Ok(everywhere));
        assert_eq!(
            ports.take(SocketAddr::new(HERE, 5353), &mut random),
            Err(SocketError::AddressInUse(5353))
        );
        ports.release(everywhere);
        ports.release(everywhere);
        assert_eq!(ports.take(everywhere, &mut random), Ok(everywhere));
        assert_eq!(ports.share(everywhere, &mut random), Err(SocketError::AddressInUse(5353)));
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
