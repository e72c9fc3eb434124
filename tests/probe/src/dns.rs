//! As much of DNS as a program's resolver needs: a question for addresses, and what a server answered (RFC 1035).

use std::net::IpAddr;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};

/// The port that name servers listen on.
pub const PORT: u16 = 53;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for, or what came, is no DNS.
    Malformed(simple_dns::SimpleDnsError),
    /// It is the answer to another question.
    Foreign,
    /// The server says that it cannot answer.
    Refused(RCODE),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Malformed(error) => write!(formatter, "malformed: {error}"),
            Self::Foreign => formatter.write_str("the answer to another question"),
            Self::Refused(code) => write!(formatter, "the server answers {code:?}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<simple_dns::SimpleDnsError> for Failure {
    fn from(error: simple_dns::SimpleDnsError) -> Self {
        Self::Malformed(error)
    }
}

/// Asks for the IPv4 addresses of `name`.
pub fn question(id: u16, name: &str) -> Result<Vec<u8>, Failure> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(Name::new(name)?, TYPE::A.into(), CLASS::IN.into(), false));
    Ok(packet.build_bytes_vec()?)
}

/// The IPv4 addresses in the answer to question `id`; none if the name has none.
pub fn addresses(id: u16, answer: &[u8]) -> Result<Vec<IpAddr>, Failure> {
    let packet = Packet::parse(answer)?;
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) {
        return Err(Failure::Foreign);
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        code => return Err(Failure::Refused(code)),
    }
    let addresses = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::A(address) => Some(IpAddr::from(address.address.to_be_bytes())),
        _ => None,
    });
    Ok(addresses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_what_the_rfc_says() {
        let expected = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04peer\x04test\0\0\x01\0\x01";
        assert_eq!(question(0x1234, "peer.test").unwrap(), expected);
        assert!(question(1, &"x".repeat(300)).is_err());
    }

    #[test]
    fn an_answer_gives_its_addresses() {
        let answer = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x04peer\x04test\0\0\x01\0\x01\
                       \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x07";
        assert_eq!(addresses(0x1234, answer).unwrap(), ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert!(matches!(addresses(0x1235, answer), Err(Failure::Foreign)));
        assert!(addresses(0x1234, &answer[..20]).is_err());
    }

    #[test]
    fn a_name_that_does_not_exist_has_no_addresses() {
        let answer = b"\0\x01\x81\x83\0\0\0\0\0\0\0\0";
        assert_eq!(addresses(1, answer).unwrap(), Vec::<IpAddr>::new());
    }
}
