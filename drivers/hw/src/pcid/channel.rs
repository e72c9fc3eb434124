//! Requests and answers over pcid's channel.

use std::io::{self, Read, Write};
use std::os::fd::RawFd;

use super::message::{Feature, FeatureInfo, Function, Request, Response};

/// No answer is longer; a length beyond it is nonsense.
const LONGEST: u64 = 1 << 20;

/// The descriptor that the text of `PCID_CLIENT_CHANNEL` names: a number that a descriptor can have.
pub fn descriptor(text: &str) -> Option<RawFd> {
    text.parse().ok().filter(|number| *number >= 0)
}

/// The channel of one function. Each request is answered before the next one is sent.
///
/// A wait for pcid has no bound: the channel is a plain file, whose reads and writes end when pcid answers or
/// goes. pcid is a part of the system that a driver cannot do without.
pub struct Channel<C> {
    transport: C,
    /// A request or its answer was cut off, so that what comes next is no answer to what is asked next.
    broken: bool,
}

impl<C: Read + Write> Channel<C> {
    pub fn new(transport: C) -> Self {
        Self { transport, broken: false }
    }

    /// What carries the messages.
    pub fn transport(&self) -> &C {
        &self.transport
    }

    /// What pcid knows of the function.
    pub fn config(&mut self) -> io::Result<Function> {
        match self.ask(Request::Config)? {
            Response::Config(function) => Ok(function),
            other => Err(unexpected(&other)),
        }
    }

    /// What `feature` is like; `None` if the function does not have it.
    pub fn feature_info(&mut self, feature: Feature) -> io::Result<Option<FeatureInfo>> {
        match self.ask(Request::FeatureInfo(feature))? {
            Response::FeatureInfo(of, info) if of == feature => Ok(Some(info)),
            Response::NonexistentFeature(_) => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Switches `feature` on.
    pub fn enable(&mut self, feature: Feature) -> io::Result<()> {
        match self.ask(Request::EnableFeature(feature))? {
            Response::FeatureEnabled(of) if of == feature => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets the one message of MSI.
    pub fn set_msi(&mut self, address: u64, data: u32) -> io::Result<()> {
        match self.ask(Request::SetMsi { address, data })? {
            Response::SetFeatureInfo(Feature::Msi) => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Reads configuration space at `offset`.
    pub fn read_config(&mut self, offset: u16) -> io::Result<u32> {
        match self.ask(Request::ReadConfig(offset))? {
            Response::ReadConfig(value) => Ok(value),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes configuration space at `offset`.
    pub fn write_config(&mut self, offset: u16, value: u32) -> io::Result<()> {
        match self.ask(Request::WriteConfig(offset, value))? {
            Response::WriteConfig => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: Request) -> io::Result<Response> {
        if self.broken {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "pcid's channel is out of step since an answer was cut off; start the driver again",
            ));
        }
        let bytes = request.encode();
        // One that fails has sent nothing.
        let sent = self.transport.write(&bytes)?;
        let answer = if sent == bytes.len() { self.answer() } else { Err(io::ErrorKind::WriteZero.into()) };
        self.broken = answer.is_err();
        Response::decode(&answer?).map_err(|error| invalid(format!("pcid's answer to {request:?}: {error}")))
    }

    /// Reads one whole answer.
    fn answer(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        self.transport.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST {
            return Err(invalid(format!("pcid announces an answer of {length} bytes")));
        }
        let mut answer = vec![0; length as usize];
        self.transport.read_exact(&mut answer)?;
        Ok(answer)
    }
}

fn unexpected(response: &Response) -> io::Error {
    invalid(format!("pcid answered {response:?}"))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
