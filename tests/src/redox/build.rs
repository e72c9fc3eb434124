//! The programs for Redox.

use std::path::PathBuf;
use std::process::Command;

use crate::{Result, programs};

use super::toolchain;

/// Builds and links everything that goes to Redox, and gives the programs' folder. Shows what is compiled; nothing
/// when all is up to date.
pub fn build() -> Result<PathBuf> {
    let linker = toolchain::linker()?;
    let target = crate::target().join("redox");
    let mut command = Command::new("sh");
    command
        .current_dir(crate::workspace())
        .args(["config/redox-build.sh", "--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_TARGET_X86_64_UNKNOWN_REDOX_LINKER", linker)
        // relibc within, so that a program does not depend on which one the image has.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "none");
    programs::run_cargo(&mut command)?;
    Ok(target.join("x86_64-unknown-redox/release"))
}
