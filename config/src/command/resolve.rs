//! Names to addresses, by the name servers that netd knows (RFC 1035).

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use config::dns::{self, Family};
use scheme::client::{self, OpenOptions};

use super::node;
use crate::node::{Failure, Node};

/// The port that name servers listen on.
const PORT: u16 = 53;
/// How long a server has for its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often each server is asked, since datagrams may be lost.
const ROUNDS: usize = 2;
/// Between two looks for an answer.
const PAUSE: Duration = Duration::from_millis(2);
/// The longest answer by UDP (RFC 1035 section 2.3.4).
const LONGEST: usize = 512;

/// The address that `host` is, or the first one that a name server has for it: of IPv4, or else of IPv6.
pub fn resolve(host: &str) -> Result<IpAddr, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let servers = Node::read(node("resolv/nameservers"))?;
    let servers: Vec<_> = servers.lines().collect();
    if servers.is_empty() {
        return Err(Failure::Missing(format!("nobody can be asked for {host}: there are no name servers")));
    }
    for name in candidates(host, Node::read(node("resolv/search"))?.lines()) {
        for family in [Family::Ipv4, Family::Ipv6] {
            match ask_all(&servers, &name, family)? {
                Some(address) => return Ok(address),
                None => continue,
            }
        }
    }
    Err(Failure::Missing(format!("{host} has no address, say the name servers {}", servers.join(", "))))
}

/// The names that may be meant: without a dot, in the domains first (RFC 1535).
fn candidates<'a>(host: &str, domains: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = host.trim_end_matches('.').to_owned();
    let is_short = !host.contains('.');
    let inside = domains.filter(|_| is_short).map(|domain| format!("{name}.{domain}"));
    inside.chain([name.clone()]).collect()
}

/// The first answer of a server; `None` if it has none to give.
fn ask_all(servers: &[&str], name: &str, family: Family) -> Result<Option<IpAddr>, Failure> {
    let mut reasons = Vec::new();
    for server in std::iter::repeat_n(servers, ROUNDS).flatten() {
        match ask(server, name, family) {
            Ok(answer) => return Ok(answer),
            Err(reason) => reasons.push(format!("{server}: {reason}")),
        }
    }
    reasons.truncate(servers.len());
    Err(Failure::Missing(format!("cannot ask for {name}: {}", reasons.join("; "))))
}

fn ask(server: &str, name: &str, family: Family) -> Result<Option<IpAddr>, String> {
    let id = id();
    let question = dns::question(id, name, family).map_err(|error| error.to_string())?;
    let path = scheme::root().join("udp").join(at_port(server));
    let nonblocking = OpenOptions { read: true, write: true, nonblocking: true };
    let exchange = || -> io::Result<Vec<u8>> {
        let mut socket = client::open_path(&path, nonblocking)?;
        socket.write_all(&question)?;
        receive(&mut socket)
    };
    let answer = exchange().map_err(|error| error.to_string())?;
    dns::address(id, &answer, family).map_err(|error| error.to_string())
}

/// As a socket's path has it.
fn at_port(server: &str) -> String {
    match server.contains(':') {
        true => format!("[{server}]:{PORT}"),
        false => format!("{server}:{PORT}"),
    }
}

/// Tells the answers to two questions apart; hard to guess, as the port of the socket is.
fn id() -> u16 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as u16
}

fn receive(socket: &mut File) -> io::Result<Vec<u8>> {
    let begin = Instant::now();
    let mut message = vec![0; LONGEST];
    while begin.elapsed() < PATIENCE {
        match socket.read(&mut message) {
            Ok(length) => {
                message.truncate(length);
                return Ok(message);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_dot_is_looked_for_in_the_domains_first() {
        let names = |host| candidates(host, ["home.arpa", "lan"].into_iter());
        assert_eq!(names("printer"), ["printer.home.arpa", "printer.lan", "printer"]);
        assert_eq!(names("printer."), ["printer"]);
        assert_eq!(names("example.org"), ["example.org"]);
    }

    #[test]
    fn servers_stand_in_paths_as_sockets_take_them() {
        assert_eq!(at_port("10.0.2.3"), "10.0.2.3:53");
        assert_eq!(at_port("fe80::1%1"), "[fe80::1%1]:53");
    }
}
