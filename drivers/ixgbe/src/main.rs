//! `ixgbed`: drives the ixgbe that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use ixgbe::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
