//! `rtl8139d`: drives the RTL8139 that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use rtl8139::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
