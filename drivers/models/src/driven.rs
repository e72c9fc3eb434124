//! What each model is to those that drive it without knowing which it is.

use std::collections::VecDeque;

use hw::fake::{Bus, Function, Model, Registers};
use nic::Memory;
use nic::driver::{Fault, Nic};

use crate::intel::controller::{self, Controller};
use crate::ixgbe::Ixgbe;
use crate::realtek::chip::{self, Chip};
use crate::virtio_net;
use crate::vmxnet3::Vmxnet3;

/// A device, and the wire that it is on.
pub trait Driven: Model + Sized + 'static {
    /// Its driver.
    type Driver: Nic;

    /// Its address.
    const MAC: [u8; 6];

    /// A device that was just switched on.
    fn switched_on() -> Self;

    /// Gives it to its driver.
    ///
    /// # Errors
    ///
    /// The driver does not take it.
    fn attach(function: &mut Function<Self>, memory: Memory) -> Result<Self::Driver, Fault>;

    /// A frame arrives from the wire.
    fn comes(&mut self, bus: &mut Bus, frame: &[u8]);

    /// Takes the frames that are on the wire, oldest first.
    fn take_sent(&mut self) -> Vec<Vec<u8>>;

    /// What it gives for the next registers that are read.
    fn lies(&mut self) -> &mut VecDeque<u32>;

    /// Nothing is wrong with it any more.
    fn recover(&mut self);
}

/// Each model has all of it already, by the names that its own tests use.
macro_rules! driven {
    ([$($generics:tt)*] $model:ty, $driver:ty) => {
        impl<$($generics)*> Driven for $model {
            type Driver = $driver;

            const MAC: [u8; 6] = Self::MAC;

            fn switched_on() -> Self {
                Self::new()
            }

            fn attach(function: &mut Function<Self>, memory: Memory) -> Result<Self::Driver, Fault> {
                Self::Driver::attach(function, memory)
            }

            fn comes(&mut self, bus: &mut Bus, frame: &[u8]) {
                self.arrive(bus, frame);
            }

            fn take_sent(&mut self) -> Vec<Vec<u8>> {
                std::mem::take(&mut self.sent)
            }

            fn lies(&mut self) -> &mut VecDeque<u32> {
                &mut self.faults.lies
            }

            fn recover(&mut self) {
                self.faults = Default::default();
            }
        }
    };
}

driven!([K: controller::Kind + 'static] Controller<K>, ::intel::Device<Registers<Self>, K::Family>);
driven!([K: chip::Kind + 'static] Chip<K>, ::realtek::Device<Registers<Self>, K::Family>);
driven!([] Ixgbe, ::ixgbe::Device<Registers<Self>>);
driven!([const PACKED: bool] virtio_net::Device<PACKED>, ::virtio_net::Device<Registers<Self>>);
driven!([] Vmxnet3, ::vmxnet3::Device<Registers<Self>>);
