//! As much of a name server as a resolver needs (RFC 1035).

use std::net::Ipv4Addr;

use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

/// How long an answer may be kept, in seconds.
const TTL: u32 = 60;

/// Answers a query for the address of `name`; any other name does not exist. `None` for what is no query.
pub fn answer(query: &[u8], name: &str, address: Ipv4Addr) -> Option<Vec<u8>> {
    let query = Packet::parse(query).ok().filter(|query| !query.has_flags(PacketFlag::RESPONSE))?;
    let mut answer = query.into_reply();
    answer.set_flags(PacketFlag::RECURSION_AVAILABLE);
    let question = answer.questions.first()?.clone();
    if !question.qname.to_string().eq_ignore_ascii_case(name) {
        *answer.rcode_mut() = RCODE::NameError;
    } else if question.qtype == QTYPE::TYPE(TYPE::A) {
        let address = RData::A(A { address: address.into() });
        answer.answers.push(ResourceRecord::new(question.qname, CLASS::IN, TTL, address));
    }
    answer.build_bytes_vec().ok()
}

#[cfg(test)]
mod tests {
    use probe::dns::{Failure, addresses, question};

    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);

    fn ask(name: &str) -> Result<Vec<std::net::IpAddr>, Failure> {
        let answer = answer(&question(7, name).unwrap(), "station.test", ADDRESS).unwrap();
        addresses(7, &answer)
    }

    #[test]
    fn a_name_has_its_address_and_another_has_none() {
        assert_eq!(ask("Station.test").unwrap(), [ADDRESS]);
        assert_eq!(ask("other.test").unwrap(), [Ipv4Addr::UNSPECIFIED; 0]);
    }

    #[test]
    fn what_is_no_query_has_no_answer() {
        let reply = answer(&question(7, "station.test").unwrap(), "station.test", ADDRESS).unwrap();
        for query in [&b""[..], b"short", &[0xff; 40], &reply] {
            assert_eq!(answer(query, "station.test", ADDRESS), None);
        }
    }
}
