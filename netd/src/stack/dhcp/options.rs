//! The options of a DHCP message (RFC 2132), wherever in the message they are.

use std::net::Ipv4Addr;

/// What an option means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// RFC 2132 section 3.3.
    SubnetMask = 1,
    /// RFC 2132 section 3.5.
    Router = 3,
    /// RFC 2132 section 3.8.
    DomainNameServer = 6,
    /// RFC 2132 section 3.14.
    HostName = 12,
    /// RFC 2132 section 3.17.
    DomainName = 15,
    /// RFC 2132 section 5.1.
    InterfaceMtu = 26,
    /// RFC 2132 section 9.1.
    RequestedIpAddress = 50,
    /// RFC 2132 section 9.2: seconds.
    IpAddressLeaseTime = 51,
    /// RFC 2132 section 9.3: which of the header's fields hold options as well.
    OptionOverload = 52,
    /// RFC 2132 section 9.6.
    DhcpMessageType = 53,
    /// RFC 2132 section 9.7.
    ServerIdentifier = 54,
    /// RFC 2132 section 9.8.
    ParameterRequestList = 55,
    /// RFC 2132 section 9.10.
    MaximumDhcpMessageSize = 57,
    /// RFC 2132 section 9.11: seconds.
    RenewalTime = 58,
    /// RFC 2132 section 9.12: seconds.
    RebindingTime = 59,
    /// RFC 2132 section 9.14.
    ClientIdentifier = 61,
    /// RFC 3397.
    DomainSearch = 119,
    /// RFC 3442.
    ClasslessStaticRoute = 121,
}

/// RFC 2132 section 3.1.
const PAD: u8 = 0;
/// RFC 2132 section 3.2.
const END: u8 = 255;
/// In an overload, the boot file's name holds options (RFC 2132 section 9.3).
const IN_FILE: u8 = 1;
/// In an overload, the server's name holds options.
const IN_SNAME: u8 = 2;

/// The options, in the order in which they first came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(Vec<(u8, Vec<u8>)>);

impl Options {
    /// Takes the options' area apart and, where it says so, the fields `file` and `sname`. Parts of one
    /// option are put together (RFC 3396). `None` if an option is cut short.
    pub fn parse(area: &[u8], file: &[u8], sname: &[u8]) -> Option<Self> {
        let mut options = Self::default();
        options.take(area)?;
        let overload = options.get(Code::OptionOverload).and_then(<[u8]>::first).copied().unwrap_or_default();
        if overload & IN_FILE != 0 {
            options.take(file)?;
        }
        if overload & IN_SNAME != 0 {
            options.take(sname)?;
        }
        Some(options)
    }

    fn take(&mut self, mut area: &[u8]) -> Option<()> {
        while let Some((&code, rest)) = area.split_first() {
            match code {
                PAD => area = rest,
                END => break,
                _ => {
                    let (&length, rest) = rest.split_first()?;
                    let (value, rest) = rest.split_at_checked(usize::from(length))?;
                    match self.0.iter_mut().find(|(own, _)| *own == code) {
                        Some((_, before)) => before.extend_from_slice(value),
                        None => self.0.push((code, value.to_vec())),
                    }
                    area = rest;
                }
            }
        }
        Some(())
    }

    /// The value of an option.
    pub fn get(&self, code: Code) -> Option<&[u8]> {
        self.0.iter().find(|(own, _)| *own == code as u8).map(|(_, value)| value.as_slice())
    }

    /// An option that is one address; the first of several.
    pub fn address(&self, code: Code) -> Option<Ipv4Addr> {
        self.get(code)?.first_chunk::<4>().copied().map(Ipv4Addr::from)
    }

    /// An option that is a list of addresses.
    pub fn addresses(&self, code: Code) -> Vec<Ipv4Addr> {
        let (chunks, _) = self.get(code).unwrap_or_default().as_chunks::<4>();
        chunks.iter().copied().map(Ipv4Addr::from).collect()
    }

    /// An option that is a number of 32 bits.
    pub fn number(&self, code: Code) -> Option<u32> {
        self.get(code)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// Adds an option. What does not fit into one is left out, as is an empty one.
    pub fn push(&mut self, code: Code, value: &[u8]) {
        let value = value.get(..usize::from(u8::MAX)).unwrap_or(value);
        if !value.is_empty() {
            self.0.push((code as u8, value.to_vec()));
        }
    }

    /// Appends the options, and their end, to a message.
    pub fn emit(&self, message: &mut Vec<u8>) {
        for (code, value) in &self.0 {
            message.push(*code);
            // Those of ours are short, and one part of a long one has so many bytes.
            message.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
            message.extend(value.iter().take(usize::from(u8::MAX)));
        }
        message.push(END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_wherever_they_are() {
        let area = [0, 52, 1, 3, 3, 4, 10, 0, 0, 1, 0, 255, 99];
        let file = [6, 4, 9, 9, 9, 9, 255, 0];
        let sname = [3, 4, 10, 0, 0, 2];
        let options = Options::parse(&area, &file, &sname).unwrap();
        assert_eq!(options.addresses(Code::Router), [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)]);
        assert_eq!(options.address(Code::DomainNameServer), Some(Ipv4Addr::new(9, 9, 9, 9)));
        assert_eq!(options.get(Code::HostName), None);
        let without = Options::parse(&area[4..], &file, &sname).unwrap();
        assert_eq!(without.addresses(Code::Router).len(), 1, "without an overload the fields are names");
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for area in [&[3][..], &[3, 4, 10, 0], &[52, 1, 1, 3]] {
            assert_eq!(Options::parse(area, &[], &[]), None);
        }
        assert_eq!(Options::parse(&[52, 1, 1], &[3, 9], &[]), None);
    }

    #[test]
    fn what_is_emitted_is_parsed() {
        let mut options = Options::default();
        options.push(Code::HostName, b"redox");
        options.push(Code::IpAddressLeaseTime, &3600_u32.to_be_bytes());
        options.push(Code::DomainName, b"");
        let mut bytes = Vec::new();
        options.emit(&mut bytes);
        assert_eq!(Options::parse(&bytes, &[], &[]).as_ref(), Some(&options));
        assert_eq!(options.number(Code::IpAddressLeaseTime), Some(3600));
    }
}
