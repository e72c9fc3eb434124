//! SYN cookies (RFC 4987 section 3.6): where there is no room to remember a request, the peer remembers it. What must be
//! known of it stands in the initial sequence number of our answer, which the peer repeats.

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::TcpPacket;

use super::connection::Tuple;
use super::packet;
use crate::stack::datagram::Datagram;
use crate::stack::random::Random;

/// How long a number counts as fresh: one of the last such time is taken, too.
const PERIOD: Duration = Duration::from_secs(64);
/// For how long a number may be taken after it was given.
pub const LIFETIME: Duration = Duration::from_secs(2 * 64);
/// The longest segments that a peer can have asked for, the nearest of which is remembered (RFC 9293 section 3.7.1's
/// default first).
const SEGMENTS: [u16; 4] = [536, 1220, 1440, 1460];
/// What is no keyed hash: two bits for the time, two for the segments.
const PLAIN: u32 = 4;

/// The number that remembers the request of a peer whose own is `theirs`, and which takes segments of `length` bytes.
pub fn bake(tuple: &Tuple, theirs: i32, length: u16, random: &Random, now: Instant) -> u32 {
    let segments = SEGMENTS.iter().rposition(|known| *known <= length).unwrap_or(0);
    with(tuple, theirs, period(now), segments as u32, random)
}

/// The length of the segments of a request that `number` was given for, if it was: not too long ago, and for this peer.
pub fn remembered(tuple: &Tuple, theirs: i32, number: u32, random: &Random, now: Instant) -> Option<u16> {
    let segments = number & 3;
    let is_ours = |period: u64| with(tuple, theirs, period, segments, random) == number;
    let is_fresh = is_ours(period(now)) || is_ours(period(now).wrapping_sub(1));
    SEGMENTS.get(segments as usize).copied().filter(|_| is_fresh)
}

fn with(tuple: &Tuple, theirs: i32, period: u64, segments: u32, random: &Random) -> u32 {
    let hash = random.keyed(&(tuple, theirs, period, segments)) as u32;
    hash << PLAIN | (period as u32 & 3) << 2 | segments
}

fn period(now: Instant) -> u64 {
    (now.total_micros() / PERIOD.total_micros() as i64) as u64
}

/// The answer to `request`, behind its headroom, with our `number` and a `window` that may be filled.
pub fn answer(request: &Datagram<'_>, number: u32, window: u16) -> Vec<u8> {
    let syn = TcpPacket::new_unchecked(request.payload);
    let back = Datagram { source: request.destination, destination: request.source, ..*request };
    packet::build(&back, packet::HEADER, |segment| {
        segment.set_src_port(syn.dst_port());
        segment.set_dst_port(syn.src_port());
        segment.set_syn(true);
        segment.set_seq_number(packet::number(number));
        segment.set_ack_number(syn.seq_number() + 1);
        segment.set_window_len(window);
    })
}

/// The request, behind its headroom, that must have come before `acknowledgement`, for segments of `length` bytes.
pub fn request(acknowledgement: &Datagram<'_>, length: u16) -> Vec<u8> {
    const SEGMENT_SIZE: u8 = 2;
    let first = TcpPacket::new_unchecked(acknowledgement.payload);
    let [high, low] = length.to_be_bytes();
    packet::build(acknowledgement, packet::HEADER + 4, |segment| {
        segment.set_header_len((packet::HEADER + 4) as u8);
        segment.set_ack(false);
        segment.set_syn(true);
        segment.set_seq_number(first.seq_number() - 1);
        segment.set_window_len(first.window_len());
        segment.options_mut().copy_from_slice(&[SEGMENT_SIZE, 4, high, low]);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUPLE: Tuple = Tuple {
        local: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 80),
        remote: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 5555),
    };

    #[test]
    fn a_number_is_taken_from_whom_it_was_given_for_a_while() {
        let random = Random::new([1, 2]);
        let begin = Instant::from_secs(1000);
        let other = Tuple { local: TUPLE.remote, remote: TUPLE.local };
        for (length, known) in [(0, 536), (1219, 536), (1220, 1220), (1460, 1460), (9000, 1460)] {
            let number = bake(&TUPLE, 77, length, &random, begin);
            let taken = |tuple, theirs, number, late| {
                remembered(tuple, theirs, number, &random, begin + Duration::from_secs(late))
            };
            assert_eq!([0, 1, 64].map(|late| taken(&TUPLE, 77, number, late)), [Some(known); 3]);
            assert_eq!(taken(&TUPLE, 77, number, 128), None, "too late");
            assert_eq!(taken(&TUPLE, 78, number, 0), None, "another request");
            assert_eq!(taken(&other, 77, number, 0), None, "another peer");
            assert_eq!(taken(&TUPLE, 77, number ^ 1 << 31, 0), None, "another number");
            assert_eq!(remembered(&TUPLE, 77, number, &Random::new([1, 3]), begin), None, "another key");
        }
    }
}
