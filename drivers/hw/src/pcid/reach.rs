//! Whether a device reaches the memory that Redox gave.

use crate::Error;

/// Checks that `size` bytes, whose first page begins at physical address `first` and whose last page ends at
/// `end`, are contiguous and below 2^`address_bits`. Redox gives memory from anywhere, so this is only known
/// afterwards.
pub fn check_reach(first: u64, end: u64, size: usize, address_bits: u32) -> Result<(), Error> {
    if first.checked_add(size as u64) != Some(end) {
        return Err(Error::NoMemory(format!("the system's {size} bytes at {first:#x} are not contiguous")));
    }
    if u128::from(end) > 1 << address_bits.min(64) {
        return Err(Error::NoMemory(format!(
            "the system's {size} bytes at {first:#x} are beyond the function's {address_bits} address bits; \
             Redox cannot be asked for lower memory, so it takes a machine with less of it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn memory_up_to_the_last_address_is_reached() {
        assert!(check_reach(4 * GIB - 8192, 4 * GIB, 8192, 32).is_ok());
        assert!(check_reach(9 * GIB, 9 * GIB + 8192, 8192, 64).is_ok());
    }

    #[test]
    fn memory_beyond_the_address_bits_is_refused() {
        let refused = check_reach(4 * GIB - 4096, 4 * GIB + 4096, 8192, 32).unwrap_err();
        assert!(refused.to_string().contains("32 address bits"), "{refused}");
    }

    #[test]
    fn scattered_memory_is_refused() {
        assert!(check_reach(GIB, GIB + 12288, 8192, 64).is_err());
        assert!(check_reach(GIB, GIB - 4096, 8192, 64).is_err());
    }
}
