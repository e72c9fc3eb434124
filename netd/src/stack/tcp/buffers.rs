//! How much a connection buffers.

/// Bytes each way of a connection, while there are few: what a path of 50 ms needs for 5 MB/s.
const PLENTY: usize = 256 << 10;
/// As long as there are fewer connections than this, each has plenty.
const FEW: usize = 128;
/// Bytes each way of a connection, however many there are: less would cost a transfer more than a tenth of its speed.
const LEAST: usize = 16 << 10;
/// Bytes each way that a socket can ask for at least: enough for two segments on their way.
const SMALLEST: usize = 4 << 10;
/// How much more than the usual size a socket may ask for.
const FAVOUR: usize = 4;

/// The size of a buffer of the next connection, which asks for `wish`, when there are `connections` already. The
/// usual size halves each time their number doubles, so that all together grow slower than their number.
pub fn size(wish: Option<usize>, connections: usize) -> usize {
    let doublings = (connections / FEW).checked_ilog2().map_or(0, |doublings| doublings + 1);
    let usual = (PLENTY >> doublings.min(PLENTY.ilog2())).max(LEAST);
    wish.map_or(usual, |wish| wish.clamp(SMALLEST, usual * FAVOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_have_plenty_and_many_share() {
        assert_eq!([0, 127, 128, 255, 256].map(|count| size(None, count) >> 10), [256, 256, 128, 128, 64]);
        assert_eq!([10_000, usize::MAX].map(|count| size(None, count) >> 10), [16, 16]);
        let all: usize = (0..100_000).map(|count| 2 * size(None, count)).sum();
        assert!(all < 4 << 30, "a hundred thousand buffer {all} bytes");
    }

    #[test]
    fn a_wish_is_granted_within_reason() {
        assert_eq!([0, 20_000, usize::MAX].map(|wish| size(Some(wish), 0)), [SMALLEST, 20_000, 1 << 20]);
        assert_eq!(size(Some(usize::MAX), 100_000), 64 << 10);
    }
}
