//! The fake's interrupts: a level-triggered line with a mask, or counted messages.

use std::cell::RefCell;
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;

use super::Bus;
use crate::InterruptKind;
use crate::interrupt::no_vector;

/// What the interrupt controller knows of the device.
#[derive(Default)]
pub(super) struct Vectors {
    claimed: Option<InterruptKind>,
    fired: Vec<u64>,
    line_up: bool,
    line_masked: bool,
}

impl Vectors {
    pub(super) fn claim(&mut self, kind: InterruptKind) -> bool {
        if self.claimed.is_some() {
            return false;
        }
        let count = match kind {
            InterruptKind::MsiX { vectors } => vectors,
            _ => 1,
        };
        self.claimed = Some(kind);
        self.fired = vec![0; count.into()];
        self.line_masked = false;
        self.sense_line();
        true
    }

    pub(super) fn raise(&mut self, vector: u16, bus_master: bool) {
        match self.claimed {
            Some(InterruptKind::Msi | InterruptKind::MsiX { .. }) => {
                if bus_master && let Some(fired) = self.fired.get_mut(usize::from(vector)) {
                    *fired += 1;
                }
            }
            Some(InterruptKind::Intx) | None => {
                self.line_up = true;
                self.sense_line();
            }
        }
    }

    pub(super) fn lower(&mut self) {
        self.line_up = false;
    }

    fn release(&mut self) {
        self.claimed = None;
        self.fired.clear();
    }

    fn take(&mut self, vector: u16) -> io::Result<u64> {
        self.fired.get_mut(usize::from(vector)).map(std::mem::take).ok_or_else(|| no_vector(vector))
    }

    fn acknowledge(&mut self, vector: u16) -> io::Result<()> {
        if usize::from(vector) >= self.fired.len() {
            return Err(no_vector(vector));
        }
        self.line_masked = false;
        self.sense_line();
        Ok(())
    }

    /// A line that is up and not masked fires, and is masked from then on.
    fn sense_line(&mut self) {
        if self.claimed == Some(InterruptKind::Intx)
            && self.line_up
            && !self.line_masked
            && let Some(fired) = self.fired.first_mut()
        {
            *fired += 1;
            self.line_masked = true;
        }
    }
}

/// A claimed interrupt of the fake.
pub struct Interrupt {
    bus: Rc<RefCell<Bus>>,
    kind: InterruptKind,
}

impl Interrupt {
    pub(super) fn new(bus: Rc<RefCell<Bus>>, kind: InterruptKind) -> Self {
        Self { bus, kind }
    }
}

impl crate::Interrupt for Interrupt {
    fn kind(&self) -> InterruptKind {
        self.kind
    }

    fn event_fd(&self, _vector: u16) -> Option<RawFd> {
        None
    }

    fn take(&mut self, vector: u16) -> io::Result<u64> {
        self.bus.borrow_mut().vectors.take(vector)
    }

    fn acknowledge(&mut self, vector: u16) -> io::Result<()> {
        self.bus.borrow_mut().vectors.acknowledge(vector)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.bus.borrow_mut().vectors.release();
    }
}
