//! Every claim in a driver's features.toml has its test, every test its claim, and README tells the claims; what
//! docs/sockets.md names as tests are tests.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::features::{self, ROWS};

/// The names of all tests here.
fn tests() -> BTreeSet<String> {
    let listed = Command::new(env::current_exe().unwrap()).args(["--list", "--ignored"]).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn every_claim_has_a_test_on_each_device() {
    let tests = tests();
    for (driver, claims) in features::all().unwrap() {
        assert!(claims.yes.is_empty() || !claims.devices.is_empty(), "{driver} has no device");
        for row in ROWS.iter().filter(|row| claims.does(row.name)) {
            let story =
                row.story.unwrap_or_else(|| panic!("{driver} claims {}, which nothing proves", row.name));
            for device in &claims.devices {
                let test = format!("{story}::{device}");
                assert!(tests.contains(&test), "{driver} claims {}, and there is no {test}", row.name);
            }
        }
    }
}

#[test]
fn every_claim_for_a_device_that_is_made_for_it_has_its_test() {
    let tests = tests();
    for (driver, claims) in features::all().unwrap() {
        for (row, test) in &claims.special {
            assert!(tests.contains(test), "{driver} claims {row}, and there is no {test}");
        }
    }
}

#[test]
fn every_claim_without_a_device_has_a_test_on_the_model() {
    let drivers = testbed::workspace().join("drivers");
    let read =
        |file: &str| fs::read_to_string(drivers.join(file)).unwrap_or_else(|_| panic!("drivers/{file}"));
    for (driver, claims) in features::all().unwrap() {
        let suite = if claims.model.is_empty() {
            String::new()
        } else {
            read(&format!("{driver}/tests/device/main.rs"))
        };
        for row in ROWS.iter().filter(|row| claims.model.contains(row.name)) {
            let (module, test) = row
                .model
                .and_then(|model| model.split_once("::"))
                .unwrap_or_else(|| panic!("{driver} claims {}, which nothing proves on a model", row.name));
            let stories = read(&format!("nic/tests/card/{module}.rs"));
            assert!(stories.contains(&format!("#[test]\nfn {test}()")), "there is no {module}::{test}");
            let shared = read("nic/tests/card/mod.rs").contains(&format!("mod {module};"));
            let included = format!("nic/tests/card/{}.rs\"", if shared { "mod" } else { module });
            assert!(suite.contains(&included), "{driver} claims {}, and is not tested by {module}", row.name);
        }
    }
}

#[test]
fn every_device_and_every_driver_has_its_claims() {
    let all = features::all().unwrap();
    let story = "lease::large_files_come_and_go_whole::";
    for device in tests().iter().filter_map(|test| test.strip_prefix(story)) {
        let drivers = all.values().filter(|claims| claims.devices.contains(device)).count();
        assert_eq!(drivers, 1, "{device} is in so many files features.toml");
    }
    for config in fs::read_dir(testbed::workspace().join("config/pcid.d")).unwrap() {
        let config = config.unwrap().path();
        let daemon = config.file_stem().unwrap().to_string_lossy().into_owned();
        let driver = daemon.trim_end_matches('d');
        assert!(all.contains_key(driver), "drivers/{driver} has no features.toml");
    }
}

#[test]
fn readme_shows_what_the_drivers_claim() {
    let readme = fs::read_to_string(testbed::workspace().join("README.md")).unwrap();
    let wanted = features::with_matrix(&readme, &features::all().unwrap()).unwrap();
    assert!(readme == wanted, "README's matrix is old: ./x features writes it anew");
}

/// The text of all Rust files below `directory`.
fn sources(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    });
    texts.collect()
}

#[test]
fn what_redoxs_stack_does_otherwise_has_its_tests() {
    let workspace = testbed::workspace();
    let document = fs::read_to_string(workspace.join("docs/sockets.md")).unwrap();
    let (_, table) = document.split_once("| smolnetd | tests |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let ours = sources(&workspace.join("netd/src")) + &sources(&workspace.join("tests/tests"));
    for row in rows {
        let (_, tests) = row.trim_end_matches('|').rsplit_once('|').unwrap();
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).filter(|name| !name.contains('/')).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(ours.contains(&format!("fn {name}()")), "there is no test {name}");
        }
    }
}
