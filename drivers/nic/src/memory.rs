//! How a driver's DMA memory is divided.

use hw::PciFunction;
use hw::dma::Arena;

use crate::buffer::Pool;
use crate::driver::DriverInfo;
use crate::rings::Rings;

/// The most frames that are taken from the device at a time (the NAPI budget).
pub const BUDGET: usize = 64;

/// Buffers that frames waiting for readers may hold.
pub const TAP_BUFFERS: u16 = 256;

/// Buffers for frames to send, waiting or with the device, at least: more where they would not half fill the ring.
pub(crate) const TRANSMIT_BUFFERS: u16 = 128;

/// Buffers of the frame of a self test.
const TEST_BUFFERS: u16 = 1;

/// Buffers of the frame that is coming in pieces, at most: a frame of 16 KiB.
const PARTIAL_BUFFERS: u16 = 8;

/// The buffers of a driver, apart by direction so that neither starves the other.
#[derive(Clone)]
pub struct Pools {
    /// For received frames: enough for a full ring, a batch on its way and all that readers may hold.
    pub receive: Pool,
    /// For frames to send.
    pub transmit: Pool,
    /// For the frame of a self test, whoever has all the others.
    pub test: Pool,
}

/// The DMA memory of a driver.
pub struct Memory {
    /// What is left of it, for descriptor rings.
    pub arena: Arena,
    /// For frames.
    pub pools: Pools,
    /// The sizes of the rings that it is for.
    pub rings: Rings,
}

impl Memory {
    /// Takes from `function` what the driver needs for rings of these sizes.
    pub fn new(
        function: &mut impl PciFunction,
        driver: &DriverInfo,
        rings: Rings,
    ) -> Result<Self, hw::Error> {
        let held = rings.receive * u16::from(driver.receive_queues) + driver.other_buffers;
        let receive_buffers = held + BUDGET as u16 + TAP_BUFFERS + PARTIAL_BUFFERS;
        let transmit_buffers = TRANSMIT_BUFFERS.max(rings.transmit / 2);
        let frames = Pool::memory(receive_buffers) + Pool::memory_in_pages(transmit_buffers + TEST_BUFFERS);
        let memory = (driver.ring_memory)(rings) + driver.other_memory + frames;
        let arena = function.dma_arena(memory, driver.address_bits)?;
        let pools = Pools {
            // These first, as an arena begins with a page.
            transmit: Pool::in_pages(&arena, transmit_buffers)?,
            test: Pool::in_pages(&arena, TEST_BUFFERS)?,
            receive: Pool::new(&arena, receive_buffers)?,
        };
        Ok(Self { arena, pools, rings })
    }
}
