//! What the cookbook's recipe stages, with cargo left out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use config::pcid;

#[derive(serde::Deserialize)]
struct Recipe {
    build: Build,
}

#[derive(serde::Deserialize)]
struct Build {
    script: String,
}

/// Stands for the cookbook's cargo: "builds" netd, netcfg and every driver.
const CARGO: &str = "#!/bin/sh
set -e
echo \"$@\" | grep -q -- '-p netd'
mkdir -p target/$TARGET/release
cd target/$TARGET/release
touch netd netcfg
for file in \"$COOKBOOK_SOURCE\"/config/pcid.d/*.toml; do touch \"$(basename \"$file\" .toml)\"; done
";

/// Every file in a folder, by its path in it.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry)
            } else {
                found.push(entry.strip_prefix(root).unwrap().into())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_recipe_stages_what_goes_before_the_stock_files() {
    let text = fs::read_to_string(crate::workspace().join("config/redox/recipe.toml")).unwrap();
    let recipe: Recipe = toml::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (cargo, stage) = (folder.path().join("cargo"), folder.path().join("stage"));
    fs::write(&cargo, CARGO).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let status = Command::new("bash")
        .args(["-e", "-c", &recipe.build.script])
        .current_dir(folder.path())
        .env("COOKBOOK_CARGO", &cargo)
        .env("COOKBOOK_SOURCE", crate::workspace())
        .env("COOKBOOK_STAGE", &stage)
        .env("TARGET", "x86_64-unknown-redox")
        .env("build_type", "release")
        .env("build_flags", "--release")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());

    let staged = files(&stage);
    for expected in
        ["usr/bin/netd", "usr/bin/netcfg", "etc/init.d/10_smolnetd.service", "etc/pcid.d/e1000d.toml"]
    {
        assert!(staged.contains(&expected.into()), "{expected} in {staged:?}");
    }
    let (drivers, errors) = pcid::load(&[stage.join("etc/pcid.d")]);
    assert!(errors.is_empty(), "{errors:?}");
    assert!(!drivers.is_empty());
    for driver in drivers {
        let program = driver.command.program();
        let program = program.strip_prefix("/").unwrap();
        assert!(staged.contains(&program.to_owned()), "{} in {staged:?}", program.display());
    }
}
