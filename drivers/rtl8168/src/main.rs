//! `rtl8168d`: drives the RTL8168 that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use rtl8168::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
