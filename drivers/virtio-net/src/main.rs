//! `virtio-netd`: drives the virtio network device that the environment names, and serves it as a network scheme.

use std::process::ExitCode;

use virtio_net::Device;

fn main() -> ExitCode {
    nic::daemon::run(Device::attach)
}
