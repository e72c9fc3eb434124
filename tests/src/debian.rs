//! Programs of the host's in the guest, unmodified: with all that they load, at the places where the host has it,
//! and with the library that gives them netd's sockets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cpio::Archive;
use crate::{Context, Error, Result, programs};

/// Where Debian's packages put programs. (`PATH` may name others before them, made by somebody else.)
const FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// The program that is not the host's, but ours.
const OURS: &str = "sockets";

/// Where the guest has the library that gives programs netd's sockets.
const PRELOAD: &str = "/usr/lib/libpreload.so";

/// Runs a program with that library: `over curl http://peer.test/`. By its path, or busybox would run its own.
const OVER: &str = r#"#!/bin/sh
program=/usr/bin/$1
[ -x "$program" ] || program=/usr/sbin/$1
shift
LD_PRELOAD=/usr/lib/libpreload.so exec "$program" "$@"
"#;

/// Parts of Python's library that no server needs, and that are as large as the rest.
const NOT_OF_PYTHON: [&str; 2] = ["config-", "test"];

/// An archive with these programs, for behind the guest's own.
pub fn archive(names: &[String]) -> Result<Vec<u8>> {
    let mut files = BTreeMap::new();
    let ours = programs::build_preload()?;
    for name in names {
        if name == OURS {
            add_with_libraries(&mut files, &Path::new(FOLDERS[0]).join(name), &ours.join(name))?;
            continue;
        }
        let program = find(name)?;
        add_with_libraries(&mut files, &program, &program)?;
        if name == "python3" {
            add_python_library(&mut files, &program)?;
        }
    }
    add_with_libraries(&mut files, Path::new(PRELOAD), &ours.join("libpreload.so"))?;
    let mut archive = Archive::default();
    for folder in folders(files.keys()) {
        archive.directory(&folder.to_string_lossy());
    }
    for (place, source) in &files {
        archive.file(&place.to_string_lossy(), 0o755, &fs::read(source).context("read", source)?);
    }
    archive.file("usr/bin/over", 0o755, OVER.as_bytes());
    // Without it the C library asks a name server.
    archive.file("etc/hosts", 0o644, b"127.0.0.1 localhost\n");
    Ok(archive.finish())
}

/// The program `name`, or why there is none.
fn find(name: &str) -> Result<PathBuf> {
    let places = FOLDERS.map(|folder| Path::new(folder).join(name));
    places.into_iter().find(|place| place.exists()).ok_or_else(|| {
        Error::Missing(format!("there is no {name} in {}: ./x test guest installs it", FOLDERS.join(", ")))
    })
}

/// Adds a program or library by its place there and here, and all that the loader would load with it.
fn add_with_libraries(files: &mut BTreeMap<PathBuf, PathBuf>, place: &Path, source: &Path) -> Result<()> {
    files.insert(place.to_owned(), source.to_owned());
    let output = Command::new("ldd").arg(source).output().context("run ldd for", source)?;
    for library in libraries(&String::from_utf8_lossy(&output.stdout)) {
        files.insert(library.clone(), library);
    }
    Ok(())
}

/// The paths in what `ldd` says: `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)`.
fn libraries(said: &str) -> Vec<PathBuf> {
    let paths = said.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(PathBuf::from).collect()
}

fn add_python_library(files: &mut BTreeMap<PathBuf, PathBuf>, python: &Path) -> Result<()> {
    let ask = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let output = Command::new(python).args(["-c", ask]).output().context("run", python)?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let mut left = vec![folder];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).context("list", &folder)? {
            let path = entry.context("list", &folder)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !NOT_OF_PYTHON.iter().any(|part| name.starts_with(part)) {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "so") {
                add_with_libraries(files, &path, &path)?;
            } else if path.is_file() {
                files.insert(path.clone(), path);
            }
        }
    }
    Ok(())
}

/// The folders of all these files, each after the one that it is in.
fn folders<'a>(files: impl Iterator<Item = &'a PathBuf>) -> std::collections::BTreeSet<&'a Path> {
    files.flat_map(|file| file.ancestors().skip(1)).filter(|folder| *folder != Path::new("/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_loads_is_found() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibz.so.1 => /lib/libz.so.1 (0x00007f2a)\n\
                    \tlibgone.so => not found\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f2b)\n";
        assert_eq!(libraries(said), ["/lib/libz.so.1", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from));
        assert_eq!(libraries("\tnot a dynamic executable\n"), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_folder_comes_after_the_one_that_it_is_in() {
        let files = ["/usr/lib/a.so", "/usr/bin/a", "/lib64/b"].map(PathBuf::from);
        let expected = ["/lib64", "/usr", "/usr/bin", "/usr/lib"].map(Path::new);
        assert!(folders(files.iter()).into_iter().eq(expected));
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert!(find("no-such-program").unwrap_err().to_string().contains("no-such-program"));
    }
}
