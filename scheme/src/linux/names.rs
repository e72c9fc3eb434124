//! How paths of a scheme are spelt as names of a Linux file system, which has no slash within a name, no
//! empty name and no file called `.`: `%` and two hexadecimal digits stand for a byte, a lone `%` for nothing.

use crate::errno::ENOENT;
use crate::{Error, Result};

/// The name that stands for the empty path: the scheme's root as a file.
pub(super) const ROOT_FILE: &str = "%";

/// Spells `path` as one name.
pub(super) fn encode(path: &str) -> String {
    match path {
        "" => ROOT_FILE.to_owned(),
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => path.replace('%', "%25").replace('/', "%2F"),
    }
}

/// The part of a scheme's path that `name` spells; a malformed name does not exist.
pub(super) fn decode(name: &str) -> Result<String> {
    if name == ROOT_FILE {
        return Ok(String::new());
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut pieces = name.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(Error::new(ENOENT))?);
        bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| Error::new(ENOENT))
}

/// The path of `name` (decoded) in the directory `parent`.
pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn paths_that_a_file_system_cannot_carry_have_names() {
        assert_eq!(encode("/0.0.0.0:8080"), "%2F0.0.0.0:8080");
        assert_eq!(encode("100%"), "100%25");
        assert_eq!(encode(""), "%");
        assert_eq!(decode("%2f10.0.2.2:80%2F").unwrap(), "/10.0.2.2:80/");
        assert_eq!(decode("%").unwrap(), "");
    }

    #[test]
    fn malformed_names_name_nothing() {
        for name in ["%2", "a%", "%zz", "%dup.1", "%+1", "%ff"] {
            assert!(decode(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_path_survives_its_name(path in ".*") {
            let name = encode(&path);
            prop_assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..");
            prop_assert_eq!(decode(&name).unwrap(), path);
        }
    }
}
