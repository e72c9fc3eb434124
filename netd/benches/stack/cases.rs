//! What is done.

use netd::stack::tcp::{ConnectionId, ListenerId, Options};
use netd::stack::{SocketError, Stack};

use crate::bed::{Bed, PORT, counted, parse};

/// Does something a number of times.
pub type Case = fn(&mut Bed, ListenerId, usize);

const CASES: [(&str, Case); 10] = [
    ("tcp-receive", receive),
    ("tcp-send", send),
    ("tcp-receive-offloaded", |bed, listener, bytes| offloaded(receive, bed, listener, bytes)),
    ("tcp-send-offloaded", |bed, listener, bytes| offloaded(send, bed, listener, bytes)),
    ("tcp-send-segments", segments),
    ("tcp-loopback", loopback),
    ("udp-round-trip", udp_round_trips),
    ("connect", connect),
    ("accept", accept),
    ("idle", |_, _, _| ()),
];

/// The case called `name`.
pub fn find(name: &str) -> Option<Case> {
    CASES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
}

/// What the cases are called.
pub fn names() -> Vec<&'static str> {
    CASES.iter().map(|(name, _)| *name).collect()
}

/// Data of one write or read: what programs use that care.
const CHUNK: usize = 65_536;

/// A connection to near's listener: its far end and its near end.
fn pair(bed: &mut Bed, listener: ListenerId) -> (ConnectionId, ConnectionId) {
    let far = bed.far.connect().expect("there is a port");
    loop {
        bed.turn();
        if let Ok(near) = bed.near.stack.tcp.accept(listener) {
            return (far, near);
        }
    }
}

/// The same with a driver that does the checksums.
fn offloaded(case: Case, bed: &mut Bed, listener: ListenerId, bytes: usize) {
    bed.offloads = true;
    case(bed, listener, bytes);
}

/// Near sends to a driver that makes segments, too. Far gets what they are made of in one.
fn segments(bed: &mut Bed, listener: ListenerId, bytes: usize) {
    bed.near.hand_segments_over();
    offloaded(send, bed, listener, bytes);
}

/// Near receives `bytes`.
fn receive(bed: &mut Bed, listener: ListenerId, bytes: usize) {
    let (far, near) = pair(bed, listener);
    let (data, mut buffer) = (vec![1; CHUNK], vec![0; CHUNK]);
    let (mut sent, mut received) = (0, 0);
    while received < bytes {
        while let Ok(count) = bed.far.stack.tcp.write(far, &data[..CHUNK.min(bytes - sent)]) {
            sent += count;
            if sent == bytes {
                break;
            }
        }
        bed.turn();
        let tcp = &mut bed.near.stack.tcp;
        counted(&mut || {
            while let Ok(count) = tcp.read(near, &mut buffer, false) {
                received += count;
            }
        });
    }
}

/// Near sends `bytes`.
fn send(bed: &mut Bed, listener: ListenerId, bytes: usize) {
    let (far, near) = pair(bed, listener);
    let (data, mut buffer) = (vec![1; CHUNK], vec![0; CHUNK]);
    let (mut sent, mut received) = (0, 0);
    while received < bytes {
        let tcp = &mut bed.near.stack.tcp;
        counted(&mut || {
            while sent < bytes
                && let Ok(count) = tcp.write(near, &data[..CHUNK.min(bytes - sent)])
            {
                sent += count;
            }
        });
        bed.turn();
        while let Ok(count) = bed.far.stack.tcp.read(far, &mut buffer, false) {
            received += count;
        }
    }
}

/// Near sends `bytes` to itself.
fn loopback(bed: &mut Bed, listener: ListenerId, bytes: usize) {
    let Stack { tcp, network, .. } = &mut bed.near.stack;
    let client = tcp
        .connect(None, parse(&format!("127.0.0.1:{PORT}")), Options::default(), network)
        .expect("there is a port");
    bed.turn();
    let server = bed.near.stack.tcp.accept(listener).expect("it is connected");
    let (data, mut buffer) = (vec![1; CHUNK], vec![0; CHUNK]);
    let (mut sent, mut received) = (0, 0);
    while received < bytes {
        let tcp = &mut bed.near.stack.tcp;
        counted(&mut || {
            while sent < bytes
                && let Ok(count) = tcp.write(client, &data[..CHUNK.min(bytes - sent)])
            {
                sent += count;
            }
        });
        bed.turn();
        let tcp = &mut bed.near.stack.tcp;
        counted(&mut || {
            while let Ok(count) = tcp.read(server, &mut buffer, false) {
                received += count;
            }
        });
    }
}

/// Near sends 64 bytes and gets them back, `count` times.
fn udp_round_trips(bed: &mut Bed, _: ListenerId, count: usize) {
    let socket = |host: u8, stack: &mut Stack| {
        let Stack { udp, network, .. } = stack;
        udp.open(parse(&format!("10.0.0.{host}:{PORT}")), None, Default::default(), network)
            .expect("the port is free")
    };
    let (near, far) = (socket(1, &mut bed.near.stack), socket(2, &mut bed.far.stack));
    let (to_near, to_far) = (parse(&format!("10.0.0.1:{PORT}")), parse(&format!("10.0.0.2:{PORT}")));
    let mut buffer = [0; 64];
    for _ in 0..count {
        let Stack { udp, network, .. } = &mut bed.near.stack;
        counted(&mut || {
            udp.send_to(near, &[1; 64], Some(to_far), network).expect("there is room");
        });
        loop {
            bed.turn();
            let Stack { udp, network, .. } = &mut bed.far.stack;
            if udp.receive_from(far, &mut buffer, false).is_ok() {
                udp.send_to(far, &buffer, Some(to_near), network).expect("there is room");
            }
            let (udp, mut is_back) = (&mut bed.near.stack.udp, false);
            counted(&mut || is_back = udp.receive_from(near, &mut buffer, false).is_ok());
            if is_back {
                break;
            }
        }
    }
}

/// Near connects to far and closes, `count` times.
fn connect(bed: &mut Bed, _: ListenerId, count: usize) {
    let Stack { tcp, network, .. } = &mut bed.far.stack;
    let listener =
        tcp.listen(parse(&format!("0.0.0.0:{PORT}")), Options::default(), network).expect("the port is free");
    let remote = parse(&format!("10.0.0.2:{PORT}"));
    for _ in 0..count {
        let Stack { tcp, network, .. } = &mut bed.near.stack;
        let mut connection = None;
        counted(&mut || connection = tcp.connect(None, remote, Options::default(), network).ok());
        let connection = connection.expect("there is a port");
        while bed.near.stack.tcp.connected(connection) == Err(SocketError::WouldBlock) {
            bed.turn();
        }
        bed.turn();
        let accepted = bed.far.stack.tcp.accept(listener).expect("it is connected");
        let Stack { tcp, network, .. } = &mut bed.near.stack;
        counted(&mut || tcp.close(connection, network.now));
        bed.far.stack.tcp.close(accepted, bed.far.stack.network.now);
        (0..4).for_each(|_| bed.turn());
    }
}

/// Far connects to near, which accepts and closes, `count` times.
fn accept(bed: &mut Bed, listener: ListenerId, count: usize) {
    for _ in 0..count {
        let connection = bed.far.connect().expect("there is a port");
        let mut accepted = None;
        while accepted.is_none() {
            bed.turn();
            let tcp = &mut bed.near.stack.tcp;
            counted(&mut || accepted = tcp.accept(listener).ok());
        }
        let accepted = accepted.expect("it was accepted");
        let Stack { tcp, network, .. } = &mut bed.near.stack;
        counted(&mut || tcp.close(accepted, network.now));
        bed.far.stack.tcp.close(connection, bed.far.stack.network.now);
        (0..4).for_each(|_| bed.turn());
    }
}
