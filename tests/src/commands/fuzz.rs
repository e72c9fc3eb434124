//! `./x fuzz`.

use std::process::{Command, ExitCode, Stdio};

use clap::ValueEnum;

/// Fuzzes what netd takes from outside, until the time is over or something is found.
///
/// What is found is kept in fuzz/artifacts; copied to fuzz/corpus it is a test. New inputs that reach new code
/// are kept in target/fuzz, for the next time.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only this target; without it: one after the other
    target: Option<Target>,
    /// How long each target is fuzzed
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    /// Frames into the stack
    Frames,
    /// IPv6, its extension headers and its neighbours, and fragments
    Ipv6,
    /// A DHCP server that says anything
    Dhcp,
    /// A name server that says anything
    Dns,
    /// The kernel's requests to a scheme
    Fuse,
    /// An 8254x that lies to its driver
    E1000,
    /// An 82574 that lies to its driver
    E1000e,
    /// An 82576 that lies to its driver
    Igb,
    /// An 82599 that lies to its driver
    Ixgbe,
    /// An RTL8139C+ that lies to its driver
    Rtl8139,
    /// A virtio network device that lies to its driver
    VirtioNet,
    /// The same with packed virtqueues
    VirtioNetPacked,
    /// An RTL8168 that lies to its driver
    Rtl8168,
    /// A vmxnet3 that lies to its driver
    Vmxnet3,
    /// pcid's answers to a driver
    Pcid,
    /// Requests to the socket schemes
    Sockets,
    /// Requests to the scheme netcfg
    Netcfg,
    /// pcid.d files
    Drivers,
    /// netd.toml
    Config,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Ipv6 => "ipv6",
            Self::Dhcp => "dhcp",
            Self::Dns => "dns",
            Self::Fuse => "fuse",
            Self::E1000 => "e1000",
            Self::E1000e => "e1000e",
            Self::Igb => "igb",
            Self::Ixgbe => "ixgbe",
            Self::Rtl8139 => "rtl8139",
            Self::VirtioNet => "virtio-net",
            Self::VirtioNetPacked => "virtio-net-packed",
            Self::Rtl8168 => "rtl8168",
            Self::Vmxnet3 => "vmxnet3",
            Self::Pcid => "pcid",
            Self::Sockets => "sockets",
            Self::Netcfg => "netcfg",
            Self::Drivers => "drivers",
            Self::Config => "config",
        }
    }
}

/// Fuzzes as asked.
pub fn run(arguments: &Arguments) -> super::Result {
    let targets = arguments.target.as_ref().map_or(Target::value_variants(), std::slice::from_ref);
    let mut found = Vec::new();
    for target in targets {
        if !fuzz(target.name(), arguments.seconds)? {
            found.push(target.name());
        }
    }
    if found.is_empty() {
        println!("nothing found in {} s a target", arguments.seconds);
        return Ok(ExitCode::SUCCESS);
    }
    println!("found something, or not built: {}", found.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Whether `target` ran for `seconds` without a finding.
fn fuzz(target: &str, seconds: u32) -> std::io::Result<bool> {
    let directory = testbed::workspace().join("fuzz");
    let built = testbed::target().join("fuzz");
    // The fuzzer adds to the first directory, and only reads the second one.
    let grown = built.join("corpus").join(target);
    std::fs::create_dir_all(&grown)?;
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", "run", "--target-dir"]).arg(built).arg(target);
    command.arg(grown).arg(directory.join("corpus").join(target));
    // An input that takes a minute is a finding, too.
    command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=60", "-max_len=8192"]);
    Ok(command.current_dir(directory).stdin(Stdio::null()).status()?.success())
}
