//! `netd`: serves `tcp`, `udp`, `icmp`, `ip` and `netcfg` over whatever network drivers there are.

use std::process::ExitCode;

fn main() -> ExitCode {
    let readiness = scheme::daemon::start_with_heir("netd", || {});
    match netd::daemon::run(readiness) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}
