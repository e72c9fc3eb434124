//! `e1000d`: drives the e1000 that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use e1000::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
