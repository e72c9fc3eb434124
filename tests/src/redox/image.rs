//! A copy of a Redox disk image with files of ours in it.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::filesystem::{Change, Refusal, Volume};
use super::install::Item;
use crate::{Context, Error, Result};

/// The unit whose place netd's takes; its folders are where units can be.
const NETWORK_UNIT: &str = "10_smolnetd.service";
const UNIT_FOLDERS: [&str; 2] = ["/usr/lib/init.d", "/etc/init.d"];

/// Makes `out`, a copy of `base` with the items in it, and tells what changed. `base` stays as it is, and `out` is
/// there whole or not at all.
///
/// # Errors
/// `base` is no image that the items can be put into ([`Refusal`]), or the host refuses.
pub fn make(base: &Path, out: &Path, items: &[Item]) -> Result<Vec<Change>> {
    if same_file(base, out)? {
        let reason = "the base image is never changed: name another file for the new one";
        return Err(Error::Missing(format!("{}: {reason}", out.display())));
    }
    let copy = copy(base, out)?;
    let changes = install(copy.reopen().context("open", copy.path())?, items)
        .map_err(|reason| Error::Image { image: base.to_owned(), reason })?;
    copy.persist(out).map_err(|error| error.error).context("write", out)?;
    Ok(changes)
}

fn same_file(base: &Path, out: &Path) -> Result<bool> {
    let base = base.canonicalize().context("read", base)?;
    Ok(out.canonicalize().is_ok_and(|out| out == base))
}

/// Copies the base beside what is to be, so that the last step is a rename.
fn copy(base: &Path, out: &Path) -> Result<NamedTempFile> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let mut copy = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .context("write in", folder)?;
    let mut source = File::open(base).context("read", base)?;
    if !fs::metadata(base).context("read", base)?.is_file() {
        return Err(Error::Missing(format!("{} is no file: a disk image is needed", base.display())));
    }
    io::copy(&mut source, copy.as_file_mut()).context("write a copy of", base)?;
    Ok(copy)
}

fn install(image: File, items: &[Item]) -> std::result::Result<Vec<Change>, Refusal> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut volume = Volume::open(image, now)?;
    let mut units = UNIT_FOLDERS.iter().map(|folder| volume.exists(&format!("{folder}/{NETWORK_UNIT}")));
    if !units.try_fold(false, |found, there| Ok(found | there?))? {
        return Err(Refusal::NoNetwork(NETWORK_UNIT));
    }
    let mut changes = Vec::new();
    for item in items {
        changes.push(volume.write(&item.path, item.mode, &item.content)?);
        if let Some(shadow) = &item.shadow
            && volume.exists(shadow)?
        {
            changes.push(volume.write(shadow, item.mode, &item.content)?);
        }
    }
    volume.close()?;
    Ok(changes)
}

#[cfg(test)]
mod tests;
