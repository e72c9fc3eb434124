//! Interrupts as eventfds.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::device::Device;
use super::ioctl::{self, IrqIndex};
use crate::interrupt::{first_granted, no_vector};
use crate::{Error, InterruptKind};

/// A claimed interrupt: one eventfd a vector.
pub struct Interrupt {
    device: Rc<Device>,
    kind: InterruptKind,
    eventfds: Vec<OwnedFd>,
}

/// VFIO's index for `kind`, and how many vectors that is.
fn index_of(kind: InterruptKind) -> (IrqIndex, u16) {
    match kind {
        InterruptKind::Intx => (IrqIndex::Intx, 1),
        InterruptKind::Msi => (IrqIndex::Msi, 1),
        InterruptKind::MsiX { vectors } => (IrqIndex::MsiX, vectors),
    }
}

impl Interrupt {
    /// Claims the first of the `wanted` kinds that the device has and the system grants.
    pub fn claim(device: &Rc<Device>, wanted: &[InterruptKind]) -> Result<Self, Error> {
        let location = device.location;
        if device.interrupt_held.get() {
            return Err(Error::interrupt_held(location));
        }
        let interrupt = first_granted(location, wanted, |kind| {
            let action = format!("enable {kind:?} of PCI function {location}");
            Self::enable(device, kind).map_err(Error::system(action))
        })?;
        device.interrupt_held.set(true);
        Ok(interrupt)
    }

    /// `None` if the device has no such interrupt, or not so many vectors.
    fn enable(device: &Rc<Device>, kind: InterruptKind) -> io::Result<Option<Self>> {
        let (index, vectors) = index_of(kind);
        if vectors == 0 || ioctl::irq_count(device.fd(), index)? < vectors.into() {
            return Ok(None);
        }
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let eventfds = (0..vectors).map(|_| eventfd(0, flags)).collect::<Result<Vec<_>, _>>()?;
        ioctl::set_triggers(device.fd(), index, &eventfds)?;
        Ok(Some(Self { device: device.clone(), kind, eventfds }))
    }

    fn eventfd(&self, vector: u16) -> io::Result<&OwnedFd> {
        self.eventfds.get(usize::from(vector)).ok_or_else(|| no_vector(vector))
    }
}

impl crate::Interrupt for Interrupt {
    fn kind(&self) -> InterruptKind {
        self.kind
    }

    fn event_fd(&self, vector: u16) -> Option<RawFd> {
        self.eventfds.get(usize::from(vector)).map(AsRawFd::as_raw_fd)
    }

    fn take(&mut self, vector: u16) -> io::Result<u64> {
        let mut count = [0; 8];
        match rustix::io::read(self.eventfd(vector)?.as_fd(), &mut count) {
            Ok(8) => Ok(u64::from_ne_bytes(count)),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    fn acknowledge(&mut self, vector: u16) -> io::Result<()> {
        self.eventfd(vector)?;
        match self.kind {
            InterruptKind::Intx => ioctl::unmask(self.device.fd(), IrqIndex::Intx),
            // A message is an edge: VFIO masks none.
            InterruptKind::Msi | InterruptKind::MsiX { .. } => Ok(()),
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        let (index, _) = index_of(self.kind);
        if let Err(error) = ioctl::disable_irqs(self.device.fd(), index) {
            log::error!("cannot give back the interrupt of PCI function {}: {error}", self.device.location);
        }
        self.device.interrupt_held.set(false);
    }
}
