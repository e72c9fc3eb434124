//! The devices of QEMU that ours drive, for the stories that each of them must live through.

use testbed::guest::Guest;
use testbed::qemu;

/// A device, and how it interrupts.
#[derive(Clone, Copy)]
pub struct Card {
    /// As the tests and the drivers' features.toml name it.
    pub name: &'static str,
    /// As `--nic` names it.
    pub model: &'static str,
    /// Its interrupt in the guest's `/proc/interrupts`.
    pub interrupt: &'static str,
    /// The one kind of interrupt that its driver may use; empty for any.
    pub only: &'static str,
}

impl Card {
    /// The device counts every frame that it drops. QEMU's igb has no count of those for which their queue has no room, and
    /// holds none back while another queue has some.
    pub fn counts_losses(self) -> bool {
        self.model != "igb"
    }

    /// It keeps no interval between interrupts that it is told, but one of its own.
    pub fn moderates_by_itself(self) -> bool {
        self.model == "vmxnet3"
    }

    /// It interrupts as rarely as it is told. QEMU's igb does so by MSI-X alone.
    pub fn keeps_intervals(self) -> bool {
        self.model != "igb" || self.only.is_empty()
    }

    /// Segments are made by it. QEMU's models before 8.0 make fragments of IP instead, but for the e1000's.
    pub fn makes_segments(self) -> bool {
        self.model == "e1000" || qemu::has_newer_devices()
    }

    /// A guest to which it can be added.
    pub fn guest(self) -> Guest {
        if self.only.is_empty() { Guest::default() } else { Guest::default().interrupt(self.only) }
    }
}

/// Makes a test of `$story`, a `fn(Card)`, for each device and kind of interrupt.
macro_rules! on_every_nic {
    ($story:path) => {
        $crate::nics::on_every_nic! { $story:
            e1000("e1000", "vfio-intx");
            e1000e("e1000e", "vfio-msix");
            e1000e_by_one_message("e1000e", "vfio-msi[", "msi");
            e1000e_by_its_line("e1000e", "vfio-intx", "intx");
            igb("igb", "vfio-msix");
            igb_by_one_message("igb", "vfio-msi[", "msi");
            igb_by_its_line("igb", "vfio-intx", "intx");
            rtl8139("rtl8139", "vfio-intx");
            virtio_net("virtio-net", "vfio-msix");
            virtio_net_by_its_line("virtio-net,vectors=0", "vfio-intx");
            vmxnet3("vmxnet3", "vfio-msix");
        }
    };
    ($story:path: $($name:ident($model:literal, $interrupt:literal $(, $only:literal)?);)+) => {
        $(
            #[test]
            #[ignore = "boots a guest: ./x test guest"]
            fn $name() {
                $story(crate::nics::Card {
                    name: stringify!($name),
                    model: $model,
                    interrupt: $interrupt,
                    only: concat!("" $(, $only)?),
                });
            }
        )+
    };
}

pub(crate) use on_every_nic;
