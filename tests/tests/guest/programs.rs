//! Debian's programs, unmodified, over netd's sockets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use probe::data::{self, Random, Sum};
use serde_json::Value;
use testbed::guest::{Guest, Running};
use testbed::linux_peer::{ADDRESS, ADDRESS_V6, GUEST, LinuxPeer, NAME};
use testbed::server;
use testbed::sockets::Peer;

use crate::WAIT_FOR_LEASE;

/// The host's loopback, as QEMU's user network has it.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// Where the peer's web server listens.
const WEB: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(ADDRESS), 80);

/// How long anything may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one connection may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Starts a script in a guest that has these programs; `over PROGRAM` gives one netd's sockets.
fn start(peer: &LinuxPeer, programs: &[&str], script: &str) -> Running {
    let guest = Guest::default().nic(peer.nic("e1000")).programs(programs).limit(150);
    guest.start(&format!("set -e; ulimit -n 4096\n{WAIT_FOR_LEASE}\n{script}")).unwrap()
}

/// Ends a script that ends with `probe accept 7000`.
fn end(peer: &LinuxPeer, mut running: Running) {
    running.wait_for("listening\n", PATIENCE).unwrap();
    let answer = peer.run("sh", &["-c", &format!("echo the end | nc -N {GUEST} 7000")]).unwrap();
    assert_eq!(answer, "the end\n");
    running.finish().unwrap().success().unwrap();
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn curl_downloads_and_uploads_and_does_a_hundred_things_at_once() {
    const SIZE: u64 = 50_000_000;
    let peer = LinuxPeer::start().unwrap();
    peer.namespace().enter(|| server::web_at(WEB)).unwrap().unwrap();
    let script = format!(
        "over getent ahosts {NAME} | head -n 1 | cut -d ' ' -f 1
         over dig @{ADDRESS} +tries=1 +short {NAME} AAAA
         over dig @{ADDRESS} +tcp +short {NAME} AAAA
         over curl -sS http://{NAME}/{SIZE}/1 -o /tmp/file
         over curl -sS -H Expect: -T /tmp/file http://{NAME}/
         echo
         over curl -sS --parallel --parallel-immediate --parallel-max 100 -o '/tmp/part#1' \\
            'http://{NAME}/20000/[1-100]' 2>/dev/null
         for number in $(seq 100); do cat /tmp/part$number; done | sha256sum | cut -d ' ' -f 1"
    );
    let finished = start(&peer, &["curl", "dig", "getent"], &script).finish().unwrap();
    let whole = data::sum_of(1, SIZE).unwrap();
    let mut parts = Sum::default();
    for seed in 1..=100 {
        let mut part = vec![0; 20_000];
        Random::new(seed).read_exact(&mut part).unwrap();
        parts.add(&part);
    }
    let parts = parts.finish().replace("2000000 ", "");
    assert_eq!(
        finished.success().unwrap(),
        format!("{ADDRESS}\n{ADDRESS_V6}\n{ADDRESS_V6}\n{whole}\n{parts}\n")
    );
}

/// Those of the program `sockets` that need no long transfers.
const CHECKS: &str = "half-close end-after-data refused read-timeout listen burst nonblocking peek udp udp-short \
                      udp-bound c-stream c-connecting c-listener c-waiting c-options c-datagrams c-device";

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn the_checks_of_std_s_and_c_s_sockets_pass_as_they_do_in_redox() {
    let peer = Peer::start().unwrap();
    let arguments = peer.arguments(HOST).join(" ");
    let script =
        format!("{WAIT_FOR_LEASE}\nfor check in {CHECKS}; do over sockets $check {arguments} || exit; done");
    let guest = Guest::default().nic(peer.nic("e1000")).programs(&["sockets"]);
    let finished = guest.run(&script).unwrap();
    let expected: String = CHECKS.split(' ').map(|check| format!("ok {check}\n")).collect();
    assert_eq!(finished.success().unwrap(), expected);
}

/// How much iperf3 is to carry over TCP.
const AMOUNT: u64 = 5 << 20;

/// iperf3's directions: over TCP to the server and from it, then over UDP for two seconds.
const DIRECTIONS: [&str; 4] = ["-n 5M", "-n 5M -R", "-u -b 4M -t 2", "-u -b 4M -t 2 -R"];

/// What `iperf3 --json` says has arrived at the receiving end, in bytes, of as many runs as `said` tells of.
fn received(said: &str) -> Vec<u64> {
    let reports = serde_json::Deserializer::from_str(said).into_iter::<Value>();
    let bytes = |report: Value| {
        report["end"]["sum_received"]["bytes"].as_u64().unwrap_or_else(|| panic!("{report:#}"))
    };
    reports.map(|report| bytes(report.unwrap_or_else(|error| panic!("{error} in {said}")))).collect()
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn iperf3_and_nc_go_both_ways_from_both_ends() {
    let mut peer = LinuxPeer::start().unwrap();
    peer.serve("iperf3", &["-s", "-4"]).unwrap();
    peer.serve("nc", &["-l", "-N", "7000"]).unwrap();
    let clients =
        DIRECTIONS.map(|options| format!("over iperf3 -4 --json -c {ADDRESS} {options}\n")).concat();
    let script = format!(
        "{clients} echo that was all
         echo from the guest | over nc -N {ADDRESS} 7000
         over iperf3 -s -4 --forceflush &
         echo from the listener | over nc -l -N 7001
         probe accept 7000"
    );
    let mut running = start(&peer, &["iperf3", "nc"], &script);
    let (said, _) =
        running.wait_for("Server listening", PATIENCE).unwrap().split_once("that was all").unwrap();
    // What is under way when the sender is done, a receiver does not count.
    let enough = [AMOUNT / 2, AMOUNT / 2, 500_000, 500_000];
    let from_guest = received(said);
    assert!(from_guest.iter().ge(enough.iter()) && from_guest.len() == enough.len(), "{from_guest:?}");
    assert_eq!(peer.log("nc"), "from the guest\n");

    let guest = GUEST.to_string();
    for (number, (options, enough)) in (1..).zip(DIRECTIONS.iter().zip(enough)) {
        // The server listens anew for each run, and resets who calls too early.
        running.wait_for(&format!("(test #{number})"), PATIENCE).unwrap();
        let options: Vec<_> = ["-4", "--json", "-c", &guest].into_iter().chain(options.split(' ')).collect();
        let to_guest = received(&peer.run("iperf3", &options).unwrap());
        assert!(to_guest.iter().all(|bytes| *bytes >= enough), "{to_guest:?} of {enough}");
    }
    let heard = peer.run("sh", &["-c", &format!("echo from the peer | nc -N {GUEST} 7001")]).unwrap();
    assert_eq!(heard, "from the listener\n");
    running.wait_for("from the peer", PATIENCE).unwrap();
    end(&peer, running);
}

/// Sends each number to an echo server of the guest's on a connection of its own, all of which stay open.
fn echo_on_many(port: u16, count: usize) -> std::io::Result<usize> {
    let mut connections = Vec::new();
    for number in 0..count as u32 {
        let mut connection = TcpStream::connect_timeout(&(GUEST, port).into(), SILENCE)?;
        connection.set_read_timeout(Some(SILENCE))?;
        connection.write_all(&number.to_be_bytes())?;
        connections.push(connection);
    }
    let mut right = 0;
    for (number, connection) in (0..count as u32).zip(&mut connections) {
        let mut answer = [0; 4];
        connection.read_exact(&mut answer)?;
        right += usize::from(answer == number.to_be_bytes());
    }
    Ok(right)
}

/// An echo server in one thread.
const ASYNCIO: &str = "
import asyncio
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, '0.0.0.0', 7001, backlog=1000)
    print('asyncio listens', flush=True)
    await server.serve_forever()
asyncio.run(main())
";

/// An echo server with a thread for each connection.
const THREADS: &str = "
import socketserver, threading
threading.stack_size(256 << 10)
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1000
server = Server(('0.0.0.0', 7002), Echo)
print('threads listen', flush=True)
server.serve_forever()
";

/// A multicast group, and its port.
const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(239, 1, 2, 3), 5353);

/// Two members of the group, one of which answers it, and one socket that is not in it.
const MEMBERS: &str = "
import socket
def bound():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('0.0.0.0', 5353))
    s.settimeout(140)
    return s
one, other, stranger = bound(), bound(), bound()
for member in one, other:
    membership = socket.inet_aton('239.1.2.3') + socket.inet_aton('0.0.0.0')
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
print('members listen', flush=True)
print(one.recv(99), other.recv(99), flush=True)
one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
one.sendto(b'from the guest', ('239.1.2.3', 5353))
stranger.settimeout(1)
try:
    print(stranger.recv(99))
except TimeoutError:
    print('the stranger heard nothing', flush=True)
";

/// Says something to the group until something is answered to it.
fn talk_to_the_group() -> std::io::Result<String> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, GROUP.1))?;
    socket.join_multicast_v4(&GROUP.0, &ADDRESS)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    // From this address, since the peer has no route to groups.
    let sender = UdpSocket::bind((ADDRESS, 0))?;
    let start = Instant::now();
    let mut buffer = [0; 99];
    sender.send_to(b"from the peer", GROUP)?;
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((count, from)) if from.ip() == GUEST => {
                return Ok(String::from_utf8_lossy(&buffer[..count]).into_owned());
            }
            // Its own words.
            Ok(_) => {}
            Err(error) if start.elapsed() > SILENCE => return Err(error),
            // The guest's device may learn of the group a moment after netd has joined it.
            Err(_) => drop(sender.send_to(b"from the peer", GROUP)?),
        }
    }
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn python_serves_a_thousand_connections_with_asyncio_and_with_threads_and_is_in_groups() {
    const CONNECTIONS: usize = 1000;
    let mut peer = LinuxPeer::start().unwrap();
    peer.watch("igmp").unwrap();
    let script = format!(
        "cat >/tmp/loop.py <<'END'\n{ASYNCIO}\nEND
         cat >/tmp/threads.py <<'END'\n{THREADS}\nEND
         over python3 /tmp/loop.py &
         cat >/tmp/members.py <<'END'\n{MEMBERS}\nEND
         over python3 /tmp/threads.py &
         over python3 /tmp/members.py &
         probe accept 7000"
    );
    let mut running = start(&peer, &["python3", "nc"], &script);
    for (port, ready) in [(7001, "asyncio listens"), (7002, "threads listen")] {
        running.wait_for(ready, PATIENCE).unwrap();
        let right = peer.namespace().enter(|| echo_on_many(port, CONNECTIONS)).unwrap();
        assert_eq!(right.unwrap(), CONNECTIONS, "{ready}");
    }
    running.wait_for("members listen", PATIENCE).unwrap();
    let answer = peer.namespace().enter(talk_to_the_group).unwrap().unwrap();
    assert_eq!(answer, "from the guest");
    running.wait_for("b'from the peer' b'from the peer'", PATIENCE).unwrap();
    running.wait_for("the stranger heard nothing", PATIENCE).unwrap();
    let reports = peer.watched().unwrap();
    let joined =
        |report: &String| report.contains("igmp v3 report") && report.contains("gaddr 239.1.2.3 to_ex");
    assert!(reports.iter().any(joined), "{reports:#?}");
    end(&peer, running);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn ssh_serves_the_peer_and_the_guest_itself() {
    let peer = LinuxPeer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key").to_string_lossy().into_owned();
    let made = peer.run("dropbearkey", &["-t", "ed25519", "-f", &key]).unwrap();
    let public = made.lines().find(|line| line.starts_with("ssh-")).unwrap();
    let script = format!(
        "mkdir -p /root/.ssh /etc/dropbear
         echo root::0:0::/root:/bin/sh >/etc/passwd
         dropbearkey -t ed25519 -f /root/.ssh/id_dropbear | grep ^ssh- >/root/.ssh/authorized_keys
         echo '{public}' >>/root/.ssh/authorized_keys
         over dropbear -R -F -E 2>&1 &
         probe accept 7000
         seq 100000 >/tmp/numbers
         over dbclient -y -y root@127.0.0.1 cat </tmp/numbers 2>/dev/null | cmp - /tmp/numbers && echo the same"
    );
    let mut running = start(&peer, &["dropbear", "dropbearkey", "dbclient"], &script);
    running.wait_for("Not backgrounding", PATIENCE).unwrap();
    let command = format!("seq 100000 | dbclient -y -y -i {key} root@{GUEST} cat 2>/dev/null");
    let expected: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert!(peer.run("sh", &["-c", &command]).unwrap() == expected);
    assert_eq!(peer.run("sh", &["-c", &format!("echo go on | nc -N {GUEST} 7000")]).unwrap(), "go on\n");
    let finished = running.finish().unwrap();
    assert!(finished.success().unwrap().contains("the same"), "{}", finished.stdout());
}
