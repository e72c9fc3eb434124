//! `e1000ed`: drives the e1000e that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use e1000e::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
