//! The command itself: `./x run --exec`.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Runs the command behind `./x run` with this script as standard input.
fn run(arguments: &[&str], script: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["run", "--exec", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who finds the arguments wrong does not read the script.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_script_output_and_status_are_the_commands() {
    let output = run(&["--timeout", "60"], "printf 'a\\0b\\r\\n'; echo problem >&2; exit 42\n");
    assert_eq!(output.stdout, b"a\0b\r\n", "byte for byte, and nothing else");
    assert!(text(&output.stderr).contains("problem\n"), "{output:?}");
    assert_eq!(output.status.code(), Some(42));
    assert!(text(&output.stderr).contains("target/run-"), "where the logs are is said on failure");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn large_output_is_whole_and_in_order() {
    let output = run(&["--timeout", "60"], "seq 1 200000\n");
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(text(&output.stdout) == expected, "{} bytes of {}", output.stdout.len(), expected.len());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_script_that_takes_too_long_is_ended() {
    let start = Instant::now();
    let output = run(&["--timeout", "2"], "echo begun; sleep 1000; echo not reached\n");
    assert_eq!(output.status.code(), Some(124));
    assert_eq!(text(&output.stdout), "begun\n", "what it said before is kept");
    assert!(text(&output.stderr).contains("within 2 s"), "{output:?}");
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_kernel_that_panics_is_named() {
    let output = run(&["--timeout", "60"], "echo c >/proc/sysrq-trigger; sleep 60\n");
    assert_eq!(output.status.code(), Some(125));
    assert!(text(&output.stderr).contains("Kernel panic"), "{output:?}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn without_netd_there_are_drivers_only() {
    let output = run(&["--no-netd", "--timeout", "60"], "ls /scheme; ! pidof netd\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "network.pci-0000-00-03.0_e1000\n");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn wrong_arguments_are_explained() {
    for (arguments, reason) in [
        (["--nic", "e1000:usr"], "there is no link `usr`"),
        (["--nic", "e1001"], "e1001"),
        (["--timeout", "0"], "0"),
        (["--nik", "e1000"], "--nic"),
    ] {
        let output = run(&arguments, "true\n");
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        assert!(text(&output.stderr).contains(reason), "{output:?}");
    }
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn memory_is_told_and_small() {
    let output = run(&["--memory", "--timeout", "60"], "sleep 3\n");
    let resident = |daemon: &str| {
        let line = text(&output.stderr).lines().find(|line| line.starts_with(daemon)).unwrap_or_default();
        let (_, rest) = line.split_once("VmRSS: ").unwrap_or_else(|| panic!("{daemon} in {output:?}"));
        rest.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap()
    };
    assert!(resident("e1000d") <= (3 + 4) * 1024, "3 MB and an arena of 4 MB: {output:?}");
    assert!(resident("netd") <= 6 * 1024, "{output:?}");
}
