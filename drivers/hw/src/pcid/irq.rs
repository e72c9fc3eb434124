//! An interrupt's file in the irq scheme.
//!
//! A read gives how often the interrupt has fired since the system started, or nothing if that was
//! acknowledged through this file already. Writing that number back acknowledges it; a number that has been
//! overtaken is ignored (the write takes 0 bytes).

use std::io::{self, Read, Write};

/// How often an acknowledgement is tried anew when the interrupt has overtaken it. After that it waits for
/// the next round: the interrupt that overtook it has posted its own event.
const TRIES: usize = 4;

/// A file of the irq scheme, with what was seen of it.
pub struct IrqFile<F> {
    file: F,
    /// The count at the last read.
    count: u64,
    /// The count that was told last.
    told: u64,
}

impl<F: Read + Write> IrqFile<F> {
    /// Begins to count: what has fired before is not ours.
    pub fn new(file: F) -> io::Result<Self> {
        let mut irq = Self { file, count: 0, told: 0 };
        irq.update()?;
        irq.told = irq.count;
        Ok(irq)
    }

    /// The file, to wait on.
    pub fn file(&self) -> &F {
        &self.file
    }

    /// How often it has fired since the last call.
    pub fn take(&mut self) -> io::Result<u64> {
        self.update()?;
        Ok(self.count.wrapping_sub(std::mem::replace(&mut self.told, self.count)))
    }

    /// Acknowledges all that has fired, which unmasks a line.
    pub fn acknowledge(&mut self) -> io::Result<()> {
        for _ in 0..TRIES {
            if self.file.write(&self.count.to_ne_bytes())? > 0 {
                return Ok(());
            }
            self.update()?;
        }
        Ok(())
    }

    fn update(&mut self) -> io::Result<()> {
        let mut count = [0; 8];
        match self.file.read(&mut count)? {
            0 => {}
            8 => self.count = u64::from_ne_bytes(count),
            read => {
                let what = format!("the irq scheme gives {read} bytes for a count");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The kernel's side: a count, what of it is acknowledged, and how often it fires just before a write.
    #[derive(Default)]
    struct Kernel {
        count: Cell<u64>,
        acknowledged: Cell<u64>,
        overtaking: Cell<u64>,
    }

    impl Kernel {
        fn fire(&self) {
            self.count.set(self.count.get() + 1);
        }
    }

    impl Read for &Kernel {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.count == self.acknowledged {
                return Ok(0);
            }
            buf[..8].copy_from_slice(&self.count.get().to_ne_bytes());
            Ok(8)
        }
    }

    impl Write for &Kernel {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            if let Some(left) = self.overtaking.get().checked_sub(1) {
                self.overtaking.set(left);
                self.fire();
            }
            let count = u64::from_ne_bytes(buf.try_into().unwrap());
            if count != self.count.get() {
                return Ok(0);
            }
            self.acknowledged.set(count);
            Ok(8)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_interrupt_is_told_once_and_acknowledged() {
        let kernel = Kernel { count: Cell::new(70), ..Kernel::default() };
        let mut irq = IrqFile::new(&kernel).unwrap();
        assert_eq!(irq.take().unwrap(), 0, "the 70 were before us");
        kernel.fire();
        assert_eq!(irq.take().unwrap(), 1);
        assert_eq!(irq.take().unwrap(), 0, "told already, though not acknowledged");
        irq.acknowledge().unwrap();
        assert_eq!(irq.file().acknowledged.get(), 71);
        kernel.fire();
        kernel.fire();
        assert_eq!(irq.take().unwrap(), 2);
    }

    #[test]
    fn an_acknowledgement_that_was_overtaken_is_repeated_and_nothing_is_lost() {
        let kernel = Kernel::default();
        let mut irq = IrqFile::new(&kernel).unwrap();
        kernel.fire();
        assert_eq!(irq.take().unwrap(), 1);
        kernel.overtaking.set(2);
        irq.acknowledge().unwrap();
        assert_eq!(kernel.acknowledged.get(), 3);
        assert_eq!(irq.take().unwrap(), 2, "what overtook the acknowledgement is told");
    }

    #[test]
    fn a_storm_does_not_hold_the_driver() {
        let kernel = Kernel::default();
        let mut irq = IrqFile::new(&kernel).unwrap();
        kernel.overtaking.set(u64::MAX);
        irq.acknowledge().unwrap();
        assert_eq!(kernel.count.get(), TRIES as u64);
    }
}
