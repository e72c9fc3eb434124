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

/// With whom a port is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// With others who allow it, too (`SO_REUSEADDR`).
    pub with_all: bool,
    /// With other sockets of this uid who allow it, too (`SO_REUSEPORT`).
    pub with_own: Option<u32>,
}

impl Sharing {
    fn allows(self, other: Self) -> bool {
        let has_one_owner = self.with_own.is_some() && self.with_own == other.with_own;
        (self.with_all && other.with_all) || has_one_owner
    }
}

/// Who holds a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    address: IpAddr,
    sharing: Sharing,
}

impl Ports {
    /// Takes `wanted`; its port 0 means a random ephemeral one (RFC 6056 algorithm 1). The endpoint taken is
    /// to be given back with [`release`](Self::release).
    pub fn take(
        &mut self,
        wanted: SocketAddr,
        sharing: Sharing,
        random: &mut Random,
    ) -> Result<SocketAddr, SocketError> {
        let (address, mut endpoint) = (wanted.ip(), wanted);
        match wanted.port() {
            0 => endpoint.set_port(self.ephemeral(address, random, |_| true)?),
            port if self.is_free(address, port, sharing) => (),
            port => return Err(SocketError::AddressInUse(port)),
        }
        self.taken.entry(endpoint.port()).or_default().push(Holder { address, sharing });
        Ok(endpoint)
    }

    /// Gives `endpoint` back, which was taken to be shared so.
    pub fn release(&mut self, endpoint: SocketAddr, sharing: Sharing) {
        let Some(holders) = self.taken.get_mut(&endpoint.port()) else { return };
        let own = Holder { address: endpoint.ip(), sharing };
        if let Some(position) = holders.iter().position(|holder| *holder == own) {
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
            .find(|port| self.is_free(address, *port, Sharing::default()) && suits(*port))
            .ok_or(SocketError::PortsExhausted)
    }

    fn is_free(&self, address: IpAddr, port: u16, sharing: Sharing) -> bool {
        let Some(holders) = self.taken.get(&port) else { return true };
        holders.iter().all(|holder| {
            // The versions have nothing to do with each other.
            let is_other = holder.address.is_ipv4() != address.is_ipv4();
            let is_any = holder.address.is_unspecified() || address.is_unspecified();
            is_other || sharing.allows(holder.sharing) || !(is_any || holder.address == address)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    const ALONE: Sharing = Sharing { with_all: false, with_own: None };
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));

    #[test]
    fn a_port_is_taken_once_and_again_after_its_release() {
        let (mut ports, mut random) = (Ports::default(), Random::new([1, 2]));
        let held = ports.take(SocketAddr::new(HERE, 80), ALONE, &mut random).unwrap();
        let everywhere = SocketAddr::new(ANY, 80);
        assert_eq!(ports.take(everywhere, ALONE, &mut random), Err(SocketError::AddressInUse(80)));
        assert_eq!(ports.take(held, ALONE, &mut random), Err(SocketError::AddressInUse(80)));
        ports.release(held, ALONE);
        assert_eq!(ports.take(everywhere, ALONE, &mut random), Ok(everywhere));
    }

    #[test]
    fn a_port_is_shared_by_those_who_all_share() {
        const SHARED: Sharing = Sharing { with_all: true, with_own: None };
        let (mut ports, mut random) = (Ports::default(), Random::new([1, 2]));
        let everywhere = SocketAddr::new(ANY, 5353);
        assert_eq!(ports.take(everywhere, SHARED, &mut random), Ok(everywhere));
        assert_eq!(ports.take(everywhere, SHARED, &mut random), Ok(everywhere));
        assert_eq!(
            ports.take(SocketAddr::new(HERE, 5353), ALONE, &mut random),
            Err(SocketError::AddressInUse(5353))
        );
        ports.release(everywhere, SHARED);
        ports.release(everywhere, SHARED);
        assert_eq!(ports.take(everywhere, ALONE, &mut random), Ok(everywhere));
        assert_eq!(ports.take(everywhere, SHARED, &mut random), Err(SocketError::AddressInUse(5353)));
    }

    #[test]
    fn a_port_is_shared_by_sockets_of_one_user() {
        let (mut ports, mut random) = (Ports::default(), Random::new([1, 2]));
        let everywhere = SocketAddr::new(ANY, 80);
        let of = |uid| Sharing { with_all: false, with_own: Some(uid) };
        let mut take = |endpoint, sharing| ports.take(endpoint, sharing, &mut random);
        assert_eq!(take(everywhere, of(7)), Ok(everywhere));
        assert_eq!(take(SocketAddr::new(HERE, 80), of(7)), Ok(SocketAddr::new(HERE, 80)));
        for sharing in [of(8), ALONE, Sharing { with_all: true, ..ALONE }] {
            assert_eq!(take(everywhere, sharing), Err(SocketError::AddressInUse(80)), "{sharing:?}");
        }
        ports.release(everywhere, of(7));
        ports.release(SocketAddr::new(HERE, 80), of(7));
        assert_eq!(ports.take(everywhere, of(8), &mut random), Ok(everywhere));
    }

    #[test]
    fn ephemeral_ports_are_random_distinct_and_come_back() {
        let (mut ports, mut random) = (Ports::default(), Random::new([3, 4]));
        let wanted = SocketAddr::new(ANY, 0);
        let all: Vec<_> = (0..16_384).map(|_| ports.take(wanted, ALONE, &mut random).unwrap()).collect();
        assert!(all.windows(2).any(|pair| pair[0].port().wrapping_add(1) != pair[1].port()));
        assert_eq!(ports.take(wanted, ALONE, &mut random), Err(SocketError::PortsExhausted));
        ports.release(all[77], ALONE);
        assert_eq!(ports.take(wanted, ALONE, &mut random), Ok(all[77]));
    }
}
