//! The Internet checksum (RFC 1071).

/// The one's complement sum of `bytes` and `more`, as a number whose bytes are in the network's order. An odd byte at the
/// end counts as if a zero followed.
pub fn sum(bytes: &[u8], more: u16) -> u16 {
    // In any order of bytes the sum has its own bytes in that order (RFC 1071 section 2), and in words of any length.
    let (words, rest) = bytes.as_chunks::<4>();
    let total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let own = u16::from_be_bytes(fold(total + u64::from(u32::from_ne_bytes(last))).to_ne_bytes());
    fold(u64::from(own) + u64::from(more))
}

/// The sum of the pseudo-header of a TCP or UDP packet of `length` bytes, header included, between two addresses of the
/// same version (RFC 9293 section 3.1, RFC 8200 section 8.1).
pub fn pseudo_header(addresses: [&[u8]; 2], protocol: u8, length: usize) -> u16 {
    let [source, destination] = addresses;
    sum(destination, sum(source, fold(length as u64 + u64::from(protocol))))
}

/// Fills in a TCP or UDP checksum, at `offset` behind `start`, in a frame or packet whose field holds the sum of the
/// pseudo-header. Nothing happens where there is no such place.
pub fn complete(bytes: &mut [u8], start: u16, offset: u16) {
    let Some(covered) = bytes.get_mut(start.into()..) else { return };
    // A zero would say that there is none (RFC 768); the other form of the same number does not.
    let checksum = match !sum(covered, 0) {
        0 => u16::MAX,
        checksum => checksum,
    };
    if let Some(field) = covered.get_mut(usize::from(offset)..).and_then(|rest| rest.first_chunk_mut()) {
        *field = checksum.to_be_bytes();
    }
}

fn fold(mut total: u64) -> u16 {
    while total > u64::from(u16::MAX) {
        total = (total >> 16) + (total & 0xffff);
    }
    total as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_rfc_1071() {
        // Section 3's example.
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0), 0xddf2);
    }

    #[test]
    fn a_sum_of_any_length_is_that_of_its_words() {
        let bytes: Vec<u8> = (0..100).map(|index| (index * 37 + 5) as u8).collect();
        for length in 0..bytes.len() {
            let slow = bytes[..length].chunks(2).fold(7u32, |total, word| {
                let total = total + u32::from(word[0]) * 256 + word.get(1).map_or(0, |low| u32::from(*low));
                (total >> 16) + (total & 0xffff)
            });
            assert_eq!(u32::from(sum(&bytes[..length], 7)), slow, "{length} bytes");
        }
    }

    #[test]
    fn a_completed_packet_sums_up_to_all_ones() {
        let addresses: [&[u8]; 2] = [&[10, 0, 0, 1], &[10, 0, 0, 2]];
        let mut packet = *b"....srcdLL__payload";
        let pseudo = pseudo_header(addresses, 17, packet.len() - 4);
        packet[10..12].copy_from_slice(&pseudo.to_be_bytes());
        complete(&mut packet, 4, 6);
        assert_eq!(sum(&packet[4..], pseudo), u16::MAX);
        let whole = packet;
        complete(&mut packet, 40, 6);
        complete(&mut packet, 10, 8);
        assert_eq!(packet, whole, "there is no such place");
    }
}
