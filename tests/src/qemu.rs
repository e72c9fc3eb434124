//! A QEMU process: what all of them have in common, whatever runs in them.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::nic::{Nic, path, slots};
use crate::{Context, Result};

/// The emulator.
const PROGRAM: &str = "qemu-system-x86_64";

/// Has each instruction take 2 ns of the guest's time.
pub const COUNT_INSTRUCTIONS: &str = "shift=1";

/// That, in nanoseconds.
pub const INSTRUCTION: f64 = 2.0;

/// Names a newer one, unpacked and without firmware of its own, for devices that not every system's QEMU has.
const NEWER: &str = "NETD_QEMU_NEWER";

/// Those devices.
const NEWER_DEVICES: [&str; 1] = ["igb"];

/// Where the system's QEMU has its firmware.
const FIRMWARE: [&str; 2] = ["/usr/share/qemu", "/usr/share/seabios"];

/// A running QEMU. Dropping it ends it.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    errors: PathBuf,
}

impl Qemu {
    /// Starts it by a [`command`] of arguments; what it complains of goes to the file `errors`.
    pub fn start(mut command: Command, errors: &Path) -> Result<Self> {
        command.stderr(File::create(errors).context("create", errors)?);
        let child = command.spawn().context("start", Path::new(PROGRAM))?;
        Ok(Self { child, errors: errors.to_owned() })
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("wait for", Path::new(PROGRAM))
    }

    /// Waits until it ends.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().context("wait for", Path::new(PROGRAM))
    }

    /// Why it ended before it should; nothing where it ended by itself and well.
    pub fn failure(&self, status: ExitStatus) -> Option<String> {
        let said = || fs::read_to_string(&self.errors).unwrap_or_default();
        match status.signal() {
            Some(signal) => Some(format!("QEMU was ended by signal {signal}")),
            None if !status.success() => Some(format!("QEMU failed: {}", said().trim())),
            None => None,
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // Both fail only where it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// QEMU's command line, to be completed: a machine that can have the network devices `nics`, and has no device yet; of two
/// QEMUs the `newer` one, if that is wanted. Its first serial line goes to the file `log`, and to the terminal too if that is
/// wanted. `setpriv` has the kernel end QEMU when the thread that started it ends, however that came.
pub fn command(log: &Path, on_terminal: bool, nics: &[Nic], newer: bool) -> Command {
    // QEMU puts the terminal back when it is asked to end, but not when it is killed.
    let signal = if on_terminal { "TERM" } else { "KILL" };
    let mut command = match nics.iter().find_map(Nic::network) {
        Some(network) => {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net={}", network.display())).args(["--", "setpriv"]);
            command
        }
        None => Command::new("setpriv"),
    };
    command.args(["--pdeathsig", signal, "--"]);
    match std::env::var_os(NEWER).filter(|_| newer || nics.iter().any(needs_newer)) {
        Some(newer) => command.arg(newer).args(FIRMWARE.iter().flat_map(|folder| ["-L", folder])),
        None => command.arg(PROGRAM),
    };
    command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg"]);
    command.args(["-cpu", "qemu64", "-smp", "1"]);
    let log = path(log);
    if on_terminal {
        command.arg("-chardev").arg(format!("stdio,id=console,mux=on,signal=off,logfile={log}"));
        command.args(["-serial", "chardev:console", "-mon", "chardev=console"]);
    } else {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.arg("-chardev").arg(format!("file,id=console,path={log}"));
        command.args(["-serial", "chardev:console"]);
    }
    command
}

/// Whether some QEMU here has the devices that not every one has.
pub fn has_newer_devices() -> bool {
    if std::env::var_os(NEWER).is_some_and(|newer| Path::new(&newer).exists()) {
        return true;
    }
    let told = Command::new(PROGRAM).args(["-device", "help"]).output().map(|told| told.stdout);
    let told = told.unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    NEWER_DEVICES.iter().all(|device| told.contains(&format!("name \"{device}\"")))
}

fn needs_newer(nic: &Nic) -> bool {
    NEWER_DEVICES.contains(&nic.name())
}

/// Adds network devices. Every frame of the first one is written to `pcap`.
pub fn add_nics(command: &mut Command, nics: &[Nic], pcap: Option<&Path>) {
    for (number, (nic, slot)) in nics.iter().zip(slots(nics)).enumerate() {
        command.args(nic.arguments(number, slot, pcap.filter(|_| number == 0)));
    }
}
