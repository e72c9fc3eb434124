//! Claims the PCI function that the environment names, and prints what it is made of.
//!
//! `PCID_FUNCTION=0000:00:03.0 lsfn`

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use hw::{Capability, InterruptKind, PciFunction, Registers};

/// The names of the capability ids that network controllers have (PCI-SIG, Code and ID Assignment Specification).
fn capability_name(id: u8) -> &'static str {
    match id {
        0x01 => "power management",
        0x05 => "MSI",
        0x07 => "PCI-X",
        0x09 => "vendor specific",
        0x10 => "PCI Express",
        0x11 => "MSI-X",
        0x13 => "advanced features",
        _ => "other",
    }
}

fn main() -> ExitCode {
    match list(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lsfn: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut function = hw::claim()?;
    let identity = function.identity();
    let [class, subclass, interface] = identity.class;
    writeln!(out, "function     {}", function.location())?;
    writeln!(out, "scheme name  network.{}", hw::scheme_name_of(function.location()))?;
    writeln!(
        out,
        "device       {:04x}:{:04x} revision {:02x}",
        identity.vendor, identity.device, identity.revision
    )?;
    writeln!(out, "class        {class:02x}{subclass:02x}{interface:02x}")?;
    for bar in 0..6 {
        match function.registers(bar) {
            Ok(window) => writeln!(out, "bar {bar}        {:#x} bytes of memory", window.size())?,
            Err(hw::Error::NoBar { .. }) => {}
            Err(error) => writeln!(out, "bar {bar}        {error}")?,
        }
    }
    for Capability { id, offset } in hw::capabilities(&function) {
        writeln!(out, "capability   {offset:#04x} {id:#04x} {}", capability_name(id))?;
    }
    for kind in [InterruptKind::Intx, InterruptKind::Msi, InterruptKind::MsiX { vectors: 1 }] {
        match function.interrupt(&[kind]) {
            Ok(_) => writeln!(out, "interrupt    {kind:?}")?,
            Err(hw::Error::NoInterrupt { .. }) => {}
            Err(error) => writeln!(out, "interrupt    {kind:?}: {error}")?,
        }
    }
    let reset = if function.reset()? { "by the bus" } else { "by its registers only" };
    writeln!(out, "reset        {reset}")?;
    Ok(())
}
