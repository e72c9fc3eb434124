//! How Linux writes a function's address.

use pci_types::PciAddress;

/// Reads `SSSS:BB:DD.F` (hexadecimal; device at most 1f, function at most 7).
pub fn parse(text: &str) -> Option<PciAddress> {
    let (segment, rest) = text.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let segment = hex(segment, 4)?;
    let bus = u8::try_from(hex(bus, 2)?).ok()?;
    let device = u8::try_from(hex(device, 2)?).ok().filter(|device| *device < 32)?;
    let function = u8::try_from(hex(function, 1)?).ok().filter(|function| *function < 8)?;
    Some(PciAddress::new(segment, bus, device, function))
}

fn hex(text: &str, digits: usize) -> Option<u16> {
    let plain = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u16::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(segment: u16, bus: u8, device in 0u8..32, function in 0u8..8) {
            let location = PciAddress::new(segment, bus, device, function);
            prop_assert_eq!(parse(&location.to_string()), Some(location));
        }

        #[test]
        fn nothing_else_is_read(text in "[0-9a-fg:.+ ]{0,14}") {
            if let Some(location) = parse(&text) {
                prop_assert_eq!(location.to_string(), text);
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for wrong in ["0000:00:20.0", "0000:00:03.8", "00:03.0", "0000:00:03.0 ", "+000:00:03.0", ""] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
