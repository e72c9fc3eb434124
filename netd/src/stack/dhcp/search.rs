//! The domain search option (RFC 3397): names as in DNS (RFC 1035 section 4.1.4), which may end in one another.

use config::netd::Domain;

/// The two highest bits of a byte that is half a pointer into the option.
const POINTER: u8 = 0xc0;
/// RFC 1035 section 2.3.4: no name has more labels.
const LABELS: usize = 127;

/// The domains in `option`, up to the first one that makes no sense; at most `most`.
pub fn domains(option: &[u8], most: usize) -> Vec<Domain> {
    let mut domains = Vec::new();
    let mut at = 0;
    while at < option.len() && domains.len() < most {
        let Some((name, next)) = name(option, at) else { break };
        // The root alone says nothing.
        domains.extend(name.parse::<Domain>());
        at = next;
    }
    domains
}

/// The name at a place, and where the next one begins. Pointers lead back, and so to an end.
fn name(option: &[u8], mut at: usize) -> Option<(String, usize)> {
    let (mut labels, mut next) = (Vec::new(), None);
    while labels.len() < LABELS {
        let length = *option.get(at)?;
        if length & POINTER == POINTER {
            let target = usize::from(u16::from_be_bytes([length & !POINTER, *option.get(at + 1)?]));
            next = next.or(Some(at + 2));
            at = Some(target).filter(|target| *target < at)?;
            continue;
        }
        let label = option.get(at + 1..at + 1 + usize::from(length))?;
        at += 1 + label.len();
        if label.is_empty() {
            return Some((labels.join("."), next.unwrap_or(at)));
        }
        labels.push(std::str::from_utf8(label).ok()?);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(option: &[u8]) -> Vec<String> {
        domains(option, 3).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_standard_s_example_is_read() {
        let option = b"\x03eng\x05apple\x03com\0\x09marketing\xc0\x04";
        assert_eq!(read(option), ["eng.apple.com", "marketing.apple.com"]);
    }

    #[test]
    fn what_makes_no_sense_ends_the_list() {
        for wrong in [&b"\xc0\x07"[..], b"\xc0", b"\x3fabc", b"\x01a\xc0\x07", b"\x40a\0", b"\x01\xff\0"] {
            assert_eq!(read(&[b"\x03lan\0", wrong].concat()), ["lan"], "{wrong:?}");
        }
        assert_eq!(read(b"\x02a \0\x03lan\0"), ["lan"], "no domain, but a name");
        assert_eq!(read(b"\x01a\0\x01b\0\x01c\0\x01d\0").len(), 3);
    }
}
