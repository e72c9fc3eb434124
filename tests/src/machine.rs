//! A QEMU that runs a guest: how it is started, and where what comes out of it goes.
//!
//! Each way out of the guest is a file in the run's folder, written by QEMU: they can be followed while the guest
//! runs, and whatever happens to it, what it said stays.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::image::{self, Settings};
use crate::kernel::Kernel;
use crate::monitor::Monitor;
use crate::nic::{Nic, path};
use crate::qemu::{self, Qemu};
use crate::{Context, Error, Result, debian};

/// The ways out of the guest beside its console, by the names under `/dev/host` there and in the run's folder here.
const PORTS: &[&str] = &["control", "stdout", "stderr", "memory", "daemons.log", "logs.tar"];

/// Makes Linux boot fast under emulation, use the IOMMU, and end (by `-no-reboot`) where it panics. Time comes from the
/// HPET: on a busy host Linux now and then takes the TSC's rate for a tenth of what it is.
const COMMAND_LINE: &str = "console=ttyS0 quiet intel_iommu=on mitigations=off nokaslr clocksource=hpet no_timer_check \
                            panic=-1";

/// Devices that Linux itself drives reach memory as if there were no IOMMU: ours alone are held to their own.
const PASS_THROUGH: &str = " iommu=pt";

/// What a guest is made of.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Its network devices.
    pub nics: Vec<Nic>,
    /// Every frame of the first of them is written here too.
    pub pcap: Option<PathBuf>,
    /// Of two QEMUs the newer one runs it.
    pub newer: bool,
    /// What the run wants of it.
    pub settings: Settings,
    /// Its clock goes by the instructions that it carries out ([`qemu::INSTRUCTION`]), and while there are none as time
    /// passes here.
    pub counts_instructions: bool,
    /// The console is the user's terminal, not only a file.
    pub console_on_terminal: bool,
}

/// A running guest. Dropping it ends it.
#[derive(Debug)]
pub struct Machine {
    qemu: Qemu,
    monitor: Monitor,
    folder: PathBuf,
}

impl Machine {
    /// Builds what is needed and starts a guest, which keeps its files in `folder`.
    pub fn start(plan: &Plan, folder: &Path) -> Result<Self> {
        let kernel = Kernel::find()?;
        let initrd = folder.join("initrd");
        let mut archive = image::prepare(&kernel)?;
        archive.extend(plan.settings.archive());
        if !plan.settings.programs.is_empty() {
            archive.extend(debian::archive(&plan.settings.programs)?);
        }
        if !plan.settings.kept_modules.is_empty() {
            archive.extend(image::kept(&kernel.modules_named(&plan.settings.kept_modules)?)?);
        }
        fs::write(&initrd, archive).context("write", &initrd)?;
        for port in PORTS {
            let file = folder.join(port);
            File::create(&file).context("create", &file)?;
        }
        let monitor = Monitor::new()?;
        let mut command = command(plan, &kernel, folder);
        monitor.attach(&mut command);
        let qemu = Qemu::start(command, &folder.join("qemu.log"))?;
        Ok(Self { qemu, monitor, folder: folder.to_owned() })
    }

    /// What can be done to it from outside.
    pub fn monitor(&mut self) -> &mut Monitor {
        &mut self.monitor
    }

    /// How QEMU ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.qemu.ended()
    }

    /// Waits until QEMU ends.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.qemu.wait()
    }

    /// Why the guest is gone before it said so.
    pub fn explain(&self, status: ExitStatus) -> Error {
        let console = fs::read(self.folder.join("console.log")).unwrap_or_default();
        let console = String::from_utf8_lossy(&console);
        Error::Guest(match console.lines().find(|line| line.contains("Kernel panic")) {
            Some(panic) => format!("the guest's kernel panicked: {}", panic.trim()),
            None => self
                .qemu
                .failure(status)
                .unwrap_or_else(|| "the guest ended before the script did".to_owned()),
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = fs::remove_file(self.folder.join("initrd"));
    }
}

/// QEMU's command line.
fn command(plan: &Plan, kernel: &Kernel, folder: &Path) -> Command {
    let mut command =
        qemu::command(&folder.join("console.log"), plan.console_on_terminal, &plan.nics, plan.newer);
    // What it has of the host's programs is in its memory.
    let memory = if plan.settings.programs.is_empty() { "256M" } else { "512M" };
    command.args(["-machine", "q35,kernel-irqchip=split", "-m", memory]);
    if plan.counts_instructions {
        command.args(["-icount", qemu::COUNT_INSTRUCTIONS]);
    }
    command.args(["-device", "intel-iommu,intremap=on,caching-mode=on"]);
    command.arg("-kernel").arg(&kernel.image);
    command.arg("-initrd").arg(folder.join("initrd"));
    let more = if plan.settings.kept_modules.is_empty() { "" } else { PASS_THROUGH };
    command.arg("-append").arg(format!("{COMMAND_LINE}{more}"));
    // Without ioeventfd a port's bytes are in their file before the guest's write returns: in the order written.
    command.args(["-device", "virtio-serial-pci,addr=0x10,disable-legacy=on,ioeventfd=off"]);
    for (number, port) in PORTS.iter().enumerate() {
        let file = path(&folder.join(port));
        command.arg("-chardev").arg(format!("file,id=port{number},path={file}"));
        command.arg("-device").arg(format!("virtserialport,chardev=port{number},name={port}"));
    }
    qemu::add_nics(&mut command, &plan.nics, plan.pcap.as_deref());
    command
}
