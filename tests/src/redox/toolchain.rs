//! The Redox toolchain, of which only the linker is needed: it brings relibc.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The toolchain's compiler for C, which links.
const LINKER: &str = "x86_64-unknown-redox-gcc";

/// Where redoxer keeps its toolchain, in the user's home.
const REDOXER: [&str; 2] = [".redoxer/x86_64-unknown-redox/toolchain", ".redoxer/toolchain"];

/// Finds the linker: in the folder that `REDOX_TOOLCHAIN` names, on the `PATH`, or in redoxer's folder.
pub fn linker() -> Result<PathBuf> {
    find(&|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn find(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    if let Some(folder) = variable("REDOX_TOOLCHAIN").map(PathBuf::from) {
        return in_folder(&folder).ok_or_else(|| {
            let folder = folder.display();
            Error::Missing(format!(
                "REDOX_TOOLCHAIN names {folder}, and there is no {LINKER} in it or its bin"
            ))
        });
    }
    let path = variable("PATH").unwrap_or_default();
    let home = variable("HOME").map(PathBuf::from).unwrap_or_default();
    let redoxer = REDOXER.iter().map(|folder| home.join(folder));
    std::env::split_paths(&path).chain(redoxer).find_map(|folder| in_folder(&folder)).ok_or_else(|| {
        Error::Missing(format!(
            "there is no Redox toolchain: {LINKER} is neither on the PATH nor in redoxer's folder. To get it: \
             `cargo install redoxer && redoxer toolchain`, or build Redox and set REDOX_TOOLCHAIN to its \
             prefix/x86_64-unknown-redox/sysroot. Without it `./x test redox-check` builds everything for Redox \
             but the link, std included"
        ))
    })
}

/// The linker in a folder, or in its folder `bin`.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    [folder.join(LINKER), folder.join("bin").join(LINKER)].into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the linker at `place`.
    fn home_with(place: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let linker = home.path().join(place);
        std::fs::create_dir_all(linker.parent().unwrap()).unwrap();
        std::fs::write(linker, "").unwrap();
        home
    }

    fn find_with(variables: &[(&str, &Path)]) -> Result<PathBuf> {
        find(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_os_str().into())
        })
    }

    #[test]
    fn it_is_found_on_the_path_and_in_redoxers_folder() {
        let home = home_with(".redoxer/x86_64-unknown-redox/toolchain/bin/x86_64-unknown-redox-gcc");
        let path = home_with("x86_64-unknown-redox-gcc");
        assert!(find_with(&[("HOME", home.path())]).unwrap().starts_with(home.path()));
        assert!(
            find_with(&[("HOME", home.path()), ("PATH", path.path())]).unwrap().starts_with(path.path()),
            "the PATH goes before"
        );
    }

    #[test]
    fn the_folder_that_is_named_is_the_only_one_looked_into() {
        let path = home_with("x86_64-unknown-redox-gcc");
        let empty = tempfile::tempdir().unwrap();
        let error = find_with(&[("REDOX_TOOLCHAIN", empty.path()), ("PATH", path.path())]).unwrap_err();
        assert!(error.to_string().contains("REDOX_TOOLCHAIN names"), "{error}");
        let named = find_with(&[("REDOX_TOOLCHAIN", path.path()), ("PATH", empty.path())]).unwrap();
        assert!(named.starts_with(path.path()));
    }

    #[test]
    fn without_one_the_way_to_get_it_is_told() {
        let error = find_with(&[]).unwrap_err().to_string();
        assert!(error.contains("redoxer toolchain") && error.contains("./x test redox-check"), "{error}");
    }
}
