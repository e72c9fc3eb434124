//! Who has not answered ARP lately: a router among them gives way to another (RFC 1122 section 3.3.1.4).

use std::collections::BTreeMap;
use std::net::IpAddr;

use smoltcp::time::{Duration, Instant};

/// How long a silent router is left alone, if there is another.
const LASTS: Duration = Duration::from_secs(60);
/// Neighbours that are remembered; beyond that all are forgotten.
const MOST: usize = 256;

/// The neighbours that did not answer, and until when that counts.
#[derive(Debug, Default)]
pub struct Silence(BTreeMap<IpAddr, Instant>);

impl Silence {
    /// `neighbours` have not answered.
    pub fn note(&mut self, neighbours: &[IpAddr], now: Instant) {
        self.0.retain(|_, until| now < *until);
        if self.0.len() + neighbours.len() > MOST {
            self.0.clear();
        }
        self.0.extend(neighbours.iter().map(|neighbour| (*neighbour, now + LASTS)));
    }

    /// `neighbour` is heard again.
    pub fn end(&mut self, neighbour: IpAddr) {
        self.0.remove(&neighbour);
    }

    /// Whether `neighbour` has not answered lately.
    pub fn has(&self, neighbour: IpAddr, now: Instant) -> bool {
        self.0.get(&neighbour).is_some_and(|until| now < *until)
    }
}
