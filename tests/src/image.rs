//! What the guest boots into: an archive with busybox, modules, our programs and `/init`, the same for every run,
//! and behind it a second one with what this run wants.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cpio::Archive;
use crate::kernel::Kernel;
use crate::{Context, Error, Result, programs};

/// What one run wants of the guest.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The script to run; without one there is a shell on the console.
    pub script: Option<Vec<u8>>,
    /// How long the script may take.
    pub limit: Option<Duration>,
    /// Drivers are not started.
    pub no_drivers: bool,
    /// netd is not started.
    pub no_netd: bool,
    /// The one kind of interrupt that drivers use (`msix`, `msi`, `intx`); without one the best that a device has.
    pub interrupt: Option<String>,
    /// The daemons' memory is told at the end.
    pub memory: bool,
    /// Programs of the host's that it is to have too.
    pub programs: Vec<String>,
    /// Modules of the kernel's that it is to have and not to load.
    pub kept_modules: Vec<String>,
    /// The terminal's rows and columns.
    pub terminal_size: Option<(u16, u16)>,
}

impl Settings {
    /// The second archive.
    pub fn archive(&self) -> Vec<u8> {
        let mut archive = Archive::default();
        archive.directory("run");
        let yes = |value: bool| if value { "yes" } else { "no" };
        let size = self.terminal_size.map(|(rows, columns)| format!("rows {rows} cols {columns}"));
        let settings = format!(
            "DRIVERS={}\nNETD={}\nINTERRUPT={}\nMEMORY={}\nLIMIT={}\nTERMINAL_SIZE='{}'\n",
            yes(!self.no_drivers),
            yes(!self.no_netd),
            self.interrupt.as_deref().unwrap_or_default(),
            yes(self.memory),
            self.limit.map(|limit| limit.as_secs().to_string()).unwrap_or_default(),
            size.unwrap_or_default()
        );
        archive.file("run/settings", 0o644, settings.as_bytes());
        if let Some(script) = &self.script {
            archive.file("run/script", 0o644, script);
        }
        archive.finish()
    }
}

/// An archive with modules that are kept, to be loaded in the order of their names.
pub fn kept(modules: &[PathBuf]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.directory("lib/kept");
    add_modules(&mut archive, "lib/kept", modules)?;
    Ok(archive.finish())
}

/// Builds the programs and gives the first archive.
pub fn prepare(kernel: &Kernel) -> Result<Vec<u8>> {
    let programs = programs::build()?;
    let mut archive = Archive::default();
    for folder in [
        "bin",
        "dev",
        "etc",
        "etc/net",
        "lib",
        "lib/modules",
        "proc",
        "sys",
        "usr",
        "usr/bin",
        "usr/lib",
        "var",
    ] {
        archive.directory(folder);
    }
    add_busybox(&mut archive)?;
    add_modules(&mut archive, "lib/modules", &kernel.modules)?;
    let drivers = add_driver_files(&mut archive)?;
    archive.directory("usr/lib/drivers");
    for program in &programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let folder = if drivers.contains(name.as_ref()) { "usr/lib/drivers" } else { "usr/bin" };
        add(&mut archive, &format!("{folder}/{name}"), 0o755, program)?;
    }
    let guest = crate::workspace().join("tests/guest");
    add(&mut archive, "init", 0o755, &guest.join("init"))?;
    add(&mut archive, "etc/greeting", 0o644, &guest.join("greeting"))?;
    Ok(archive.finish())
}

fn add(archive: &mut Archive, path: &str, permissions: u32, source: &Path) -> Result<()> {
    archive.file(path, permissions, &fs::read(source).context("read", source)?);
    Ok(())
}

/// Modules, numbered in their order.
fn add_modules(archive: &mut Archive, folder: &str, modules: &[PathBuf]) -> Result<()> {
    for (number, module) in modules.iter().enumerate() {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        add(archive, &format!("{folder}/{number:02}-{name}"), 0o644, module)?;
    }
    Ok(())
}

/// busybox, and a link for each of the commands in it.
fn add_busybox(archive: &mut Archive) -> Result<()> {
    let busybox = crate::variable("NETD_BUSYBOX")?;
    let output = Command::new(&busybox).arg("--list").output().context("run", &busybox)?;
    add(archive, "bin/busybox", 0o755, &busybox)?;
    for command in String::from_utf8_lossy(&output.stdout).lines().filter(|command| *command != "busybox") {
        archive.symlink(&format!("bin/{command}"), "busybox");
    }
    Ok(())
}

/// A pcid.d file, as far as it matters here.
#[derive(serde::Deserialize)]
struct DriverFile {
    #[serde(default)]
    drivers: Vec<DriverEntry>,
}

#[derive(serde::Deserialize)]
struct DriverEntry {
    #[serde(default)]
    command: Vec<String>,
}

/// Adds the pcid.d files, and gives the names of the programs that they start.
fn add_driver_files(archive: &mut Archive) -> Result<BTreeSet<String>> {
    archive.directory("usr/lib/pcid.d");
    let folder = crate::workspace().join("config/pcid.d");
    let mut drivers = BTreeSet::new();
    for path in files(&folder)? {
        let text = fs::read_to_string(&path).context("read", &path)?;
        let file: DriverFile = toml::from_str(&text)
            .map_err(|error| Error::Missing(format!("{} is no pcid.d file: {error}", path.display())))?;
        drivers.extend(file.drivers.into_iter().filter_map(|driver| driver.command.into_iter().next()));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("usr/lib/pcid.d/{name}"), 0o644, text.as_bytes());
    }
    Ok(drivers)
}

/// The files in `folder`, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context("list", folder)?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    Ok(paths)
}
