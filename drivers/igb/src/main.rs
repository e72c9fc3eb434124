//! `igbd`: drives the igb that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use igb::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
