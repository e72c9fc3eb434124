//! `netd`: serves `tcp`, `udp`, `icmp`, `ip` and `netcfg` over whatever network drivers there are.

use std::process::ExitCode;

fn main() -> ExitCode {
    scheme::daemon::start_logging("netd");
    match netd::daemon::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}
