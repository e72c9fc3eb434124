//! Registers, by the names of `vmxnet3_defs.h`, and the commands that CMD takes.

use bitfield_struct::bitfield;
use bitflags::bitflags;

/// Registers of BAR 0, which the device may pass through to real hardware.
pub mod pt {
    use crate::shared::QUEUES;

    /// Transmit producer of queue 0: the doorbell.
    pub const TXPROD: usize = 0x600;

    /// Interrupt mask of a vector: 1 masks it.
    pub const fn imr(vector: u16) -> usize {
        8 * vector as usize
    }

    /// Receive producer of ring 0 of a queue.
    pub const fn rxprod(queue: usize) -> usize {
        0x800 + 8 * queue
    }

    /// Receive producer of ring 1 of a queue.
    pub const fn rxprod2(queue: usize) -> usize {
        0xa00 + 8 * queue
    }

    /// Smallest BAR 0 with the registers above.
    pub const WINDOW: usize = rxprod2(QUEUES) + 4;
}

/// Registers of BAR 1, which the hypervisor always answers.
pub mod vd {
    /// Revisions that the device knows, a bit each; the one that is written is spoken.
    pub const VRRS: usize = 0x00;
    /// The same for the format of queues (UPT).
    pub const UVRS: usize = 0x08;
    /// Bus address of the shared memory, low half.
    pub const DSAL: usize = 0x10;
    /// High half.
    pub const DSAH: usize = 0x18;
    /// Command, and its result.
    pub const CMD: usize = 0x20;
    /// Address, bytes 0 to 3.
    pub const MACL: usize = 0x28;
    /// Address, bytes 4 and 5; writing it makes the address valid.
    pub const MACH: usize = 0x30;
    /// Interrupt cause of the line: reading clears it.
    pub const ICR: usize = 0x38;
    /// Event cause: ones that are written clear what they stand for. Read it in the shared memory.
    pub const ECR: usize = 0x40;

    /// Smallest BAR 1 with the registers above.
    pub const WINDOW: usize = 0x44;
}

/// The first revision of the device and of its queues, which all of them know.
pub const REVISION_1: u32 = 1;

/// The second revision of the device, which tells of a frame that it has joined what segments it was.
pub const REVISION_2: u32 = 2;

/// Commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Command {
    /// Reads the shared memory, and runs.
    ActivateDev = 0xcafe_0000,
    /// Stops.
    QuiesceDev = 0xcafe_0001,
    /// Back to the initial state.
    ResetDev = 0xcafe_0002,
    /// Reads the receive mode from the shared memory.
    UpdateRxMode = 0xcafe_0003,
    /// Reads the multicast list.
    UpdateMacFilters = 0xcafe_0004,
    /// Reads the VLAN filter.
    UpdateVlanFilters = 0xcafe_0005,
    /// Reads the table of RSS.
    UpdateRssIdt = 0xcafe_0006,
    /// Reads what is offloaded.
    UpdateFeature = 0xcafe_0009,
    /// Writes the statistics into the shared memory.
    GetStats = 0xf00d_0001,
    /// Gives a [`LinkStatus`].
    GetLink = 0xf00d_0002,
    /// Gives the address that the device was made with, bytes 0 to 3.
    GetPermMacLo = 0xf00d_0003,
    /// Bytes 4 and 5.
    GetPermMacHi = 0xf00d_0004,
}

/// What [`Command::GetLink`] gives.
#[bitfield(u32)]
pub struct LinkStatus {
    /// There is a link.
    pub up: bool,
    #[bits(15)]
    __: u16,
    /// Mbit/s.
    pub speed: u16,
}

bitflags! {
    /// Event causes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Events: u32 {
        /// A receive queue has failed.
        const RQERR = 1 << 0;
        /// A transmit queue has failed.
        const TQERR = 1 << 1;
        /// The link has changed.
        const LINK = 1 << 2;
        const _ = !0;
    }

    /// What RSS hashes (`UPT1_RSS_HASH_TYPE_`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HashTypes: u16 {
        /// IPv4, by addresses.
        const IPV4 = 1 << 0;
        /// TCP over IPv4, by ports, too.
        const TCP_IPV4 = 1 << 1;
        /// IPv6, by addresses.
        const IPV6 = 1 << 2;
        /// TCP over IPv6, by ports, too.
        const TCP_IPV6 = 1 << 3;
        const _ = !0;
    }

    /// Receive mode.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RxMode: u32 {
        /// Frames for the own address.
        const UCAST = 1 << 0;
        /// Frames for the groups of the multicast list.
        const MCAST = 1 << 1;
        /// Broadcasts.
        const BCAST = 1 << 2;
        /// Frames for all groups.
        const ALL_MULTI = 1 << 3;
        /// All frames.
        const PROMISC = 1 << 4;
        const _ = !0;
    }
}
