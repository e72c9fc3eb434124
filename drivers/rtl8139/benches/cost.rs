//! What the driver costs, beside the model of its device: `./x bench nic`.

fn main() {
    models::cost::measure::<models::realtek::rtl8139::Card>();
}
