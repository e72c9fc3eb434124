//! What the driver costs, beside the model of its device: `./x bench nic`.

use models::cost::{measure, measure_as};
use models::virtio_net::{Packed, VirtioNet};

fn main() {
    measure::<VirtioNet>();
    measure_as::<Packed>("-packed");
}
