//! Questions to a name server, and what its answers say (RFC 1035).

use std::net::IpAddr;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, SimpleDnsError, TYPE};

/// The addresses that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Of IPv4: records of type A.
    Ipv4,
    /// Of IPv6: records of type AAAA (RFC 3596).
    Ipv6,
}

/// Why there is no question, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not what RFC 1035 calls a name.
    #[error("{name} is no name: {reason}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: SimpleDnsError,
    },
    /// Not a message, or a part of one.
    #[error("its answer is no DNS message: {0}")]
    Message(SimpleDnsError),
    /// A message, but not the answer to the question.
    #[error("it answers another question")]
    Other,
    /// It cannot say, or does not want to.
    #[error("it answers {0:?}")]
    Refused(RCODE),
}

/// The message that asks for the addresses of `name`, and has the server ask on.
///
/// # Errors
/// `name` is none.
pub fn question(id: u16, name: &str, family: Family) -> Result<Vec<u8>, Error> {
    let wrong = |reason| Error::Name { name: name.to_owned(), reason };
    let kind = match family {
        Family::Ipv4 => TYPE::A,
        Family::Ipv6 => TYPE::AAAA,
    };
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(wrong)?;
    packet.questions.push(Question::new(name, kind.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(wrong)
}

/// The first address in the answer to the question `id`; `None` if the name has none, or does not exist.
///
/// # Errors
/// The message is not an answer to that question, or the server had none.
pub fn address(id: u16, answer: &[u8], family: Family) -> Result<Option<IpAddr>, Error> {
    let packet = Packet::parse(answer).map_err(Error::Message)?;
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return Err(Error::Other);
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => (),
        code => return Err(Error::Refused(code)),
    }
    Ok(packet.answers.iter().find_map(|record| match &record.rdata {
        RData::A(found) if family == Family::Ipv4 => Some(IpAddr::from(found.address.to_be_bytes())),
        RData::AAAA(found) if family == Family::Ipv6 => Some(IpAddr::from(found.address.to_be_bytes())),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// peer.test is 10.0.0.7.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x04peer\x04test\0\0\x01\0\x01\
                            \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x07";

    #[test]
    fn an_answer_gives_its_first_address() {
        let found = |id, family| address(id, ANSWER, family);
        assert_eq!(found(0x1234, Family::Ipv4).unwrap(), Some(IpAddr::from([10, 0, 0, 7])));
        assert_eq!(found(0x1234, Family::Ipv6).unwrap(), None);
        assert!(matches!(found(0x1235, Family::Ipv4), Err(Error::Other)));
    }

    #[test]
    fn a_name_that_does_not_exist_has_no_address_and_a_server_that_fails_is_an_error() {
        let answer = |code: u8| [0, 1, 0x81, 0x80 | code, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(address(1, &answer(3), Family::Ipv4).unwrap(), None);
        let refused = address(1, &answer(5), Family::Ipv4).unwrap_err();
        assert_eq!(refused.to_string(), "it answers Refused");
    }

    #[test]
    fn no_beginning_of_an_answer_is_one() {
        for length in 0..ANSWER.len() {
            assert!(address(0x1234, &ANSWER[..length], Family::Ipv4).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn what_is_no_name_is_told() {
        let long = "a".repeat(64);
        let error = question(1, &long, Family::Ipv4).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{long} is no name: ")), "{error}");
    }
}
