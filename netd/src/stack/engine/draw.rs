//! The numbers that smoltcp draws, told in advance: its generator is sPCG32 (pcg-random.org), which is no secret.

const FACTOR: u64 = 0xbb2e_fcec_3c39_611d;
const ADDEND: u64 = 0x7590_ef39;

/// The seed of an interface whose first socket draws `number`.
pub(super) fn seed_of(number: u32) -> u64 {
    // The upper three bits tell where in the state the number is: these are 0, and it is 29 bits from the end. What stands
    // behind it is free.
    let states = (0..1 << 29).map(|free| u64::from(number) << 29 | free);
    // The interface has drawn an identifier before, and would have drawn again if that was 0.
    let mut before = states.map(previous).filter(|state| identifier(*state) != 0);
    before.next().map(previous).unwrap_or_default()
}

/// The state from which the next one is `state`.
fn previous(state: u64) -> u64 {
    const INVERSE: u64 = inverse(FACTOR);
    state.wrapping_sub(ADDEND).wrapping_mul(INVERSE)
}

/// The number of 16 bits that is drawn with the new `state`.
fn identifier(state: u64) -> u16 {
    let number = (state >> (29 - (state >> 61))) as u32;
    (number ^ number >> 16) as u16
}

/// What `odd` is to be multiplied by to give 1, in 64 bits: each of Newton's steps doubles the bits that are right.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut right = 3;
    while right < u64::BITS {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        right *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What smoltcp draws after such a seed: the identifier, and the first number for a socket.
    fn drawn(seed: u64) -> (u16, u32) {
        let next = |state: u64| state.wrapping_mul(FACTOR).wrapping_add(ADDEND);
        let (first, second) = (next(seed), next(next(seed)));
        (identifier(first), (second >> (29 - (second >> 61))) as u32)
    }

    #[test]
    fn any_number_is_drawn_and_the_identifier_before_it_is_not_0() {
        for number in (0..200_000_u32).map(|step| step.wrapping_mul(0x9e37_79b9)) {
            let (identifier, found) = drawn(seed_of(number));
            assert!(identifier != 0 && found == number, "{number}");
        }
    }
}
