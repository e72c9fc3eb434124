//! `vmxnet3d`: drives the vmxnet3 that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use vmxnet3::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
