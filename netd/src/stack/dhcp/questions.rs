//! What a client says to servers (RFC 2131 section 4.4.1, table 5).

use std::net::Ipv4Addr;

use smoltcp::time::Instant;

use super::lease::Lease;
use super::message::{Kind, Message};
use super::options::{Code, Options};
use super::{Action, Dhcp};

/// The longest message that is taken: one that an Ethernet frame holds.
const LONGEST_MESSAGE: u16 = 1500 - 28;
/// What is asked for. Classless routes come before the routers whose place they take (RFC 3442).
const PARAMETERS: [u8; 11] = [
    Code::SubnetMask as u8,
    Code::ClasslessStaticRoute as u8,
    Code::Router as u8,
    Code::DomainNameServer as u8,
    Code::DomainName as u8,
    Code::DomainSearch as u8,
    Code::InterfaceMtu as u8,
    Code::IpAddressLeaseTime as u8,
    Code::ServerIdentifier as u8,
    Code::RenewalTime as u8,
    Code::RebindingTime as u8,
];

impl Dhcp {
    /// A new exchange of messages.
    pub(super) fn begin(&mut self, now: Instant) {
        self.transaction = (self.random.next_u64() >> 32) as u32;
        (self.began, self.asked) = (now, now);
    }

    /// Who has an address, that which was ours if possible?
    pub(super) fn discover(&mut self, now: Instant) {
        let wanted = self.wanted.map(|wanted| (Code::RequestedIpAddress, wanted));
        self.send(Kind::Discover, None, Ipv4Addr::BROADCAST, wanted.as_slice(), now);
    }

    /// I want what you offer.
    pub(super) fn request(&mut self, offer: &Lease, now: Instant) {
        let named =
            [(Code::RequestedIpAddress, offer.address.addr()), (Code::ServerIdentifier, offer.server)];
        self.send(Kind::Request, None, Ipv4Addr::BROADCAST, &named, now);
    }

    /// Is the address that was ours still so?
    pub(super) fn reboot(&mut self, now: Instant) {
        let own = self.wanted.map(|wanted| (Code::RequestedIpAddress, wanted));
        self.send(Kind::Request, None, Ipv4Addr::BROADCAST, own.as_slice(), now);
    }

    /// Sends a message, from our address only if it is certainly `own`.
    pub(super) fn send(
        &mut self,
        kind: Kind,
        own: Option<Ipv4Addr>,
        to: Ipv4Addr,
        addresses: &[(Code, Ipv4Addr)],
        now: Instant,
    ) {
        let mut options = Options::default();
        options.push(Code::DhcpMessageType, &[kind as u8]);
        let mut identifier = vec![1];
        identifier.extend(self.hardware.as_bytes());
        options.push(Code::ClientIdentifier, &identifier);
        for (code, address) in addresses {
            options.push(*code, &address.octets());
        }
        if matches!(kind, Kind::Discover | Kind::Request) {
            options.push(Code::MaximumDhcpMessageSize, &LONGEST_MESSAGE.to_be_bytes());
            options.push(Code::ParameterRequestList, &PARAMETERS);
            options.push(Code::HostName, self.hostname.as_bytes());
        }
        let from = own.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let message = Message {
            kind,
            transaction: self.transaction,
            seconds: u16::try_from((now - self.began).secs()).unwrap_or(u16::MAX),
            client: from,
            yours: Ipv4Addr::UNSPECIFIED,
            hardware: self.hardware,
            options,
        };
        self.actions.push(Action::Send { message: message.emit(), from, to });
    }
}
