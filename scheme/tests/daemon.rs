//! What a daemon tells its parent and the world at its start.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

use std::io::Read;
use std::os::fd::AsRawFd;
use std::process::{Command, Output, Stdio};

use rustix::io::FdFlags;

/// Runs the test `daemon` as a program of its own.
fn run(set: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "daemon", "--nocapture"]).env("DAEMON", "").env_remove("LOG");
    command.envs(set.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn daemon() {
    if std::env::var_os("DAEMON").is_none() {
        return;
    }
    scheme::daemon::start_logging("exampled");
    log::info!("starts");
    log::debug!("thinks");
    if let Err(error) = scheme::daemon::ready().and_then(|()| scheme::daemon::ready()) {
        log::error!("{error}");
    }
}

#[test]
fn the_parent_gets_one_zero_byte_and_the_end() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::io::fcntl_setfd(&writer, FdFlags::empty()).unwrap();
    let number = writer.as_raw_fd().to_string();
    let output = run(&[("INIT_NOTIFY", &number)]);
    drop(writer);
    assert!(output.status.success());
    let mut told = Vec::new();
    reader.read_to_end(&mut told).unwrap();
    assert_eq!(told, [0]);
}

#[test]
fn a_daemon_started_by_hand_tells_nobody() {
    let text = String::from_utf8(run(&[]).stderr).unwrap();
    assert_eq!(text, "INFO exampled: starts\n");
}

#[test]
fn log_chooses_the_level() {
    let text = String::from_utf8(run(&[("LOG", "debug")]).stderr).unwrap();
    assert_eq!(text, "INFO exampled: starts\nDEBUG exampled: thinks\n");
    let text = String::from_utf8(run(&[("LOG", "error")]).stderr).unwrap();
    assert_eq!(text, "");
    let text = String::from_utf8(run(&[("LOG", "loud")]).stderr).unwrap();
    assert!(text.contains("LOG=loud is no level") && text.contains("INFO exampled: starts"), "{text}");
}

#[test]
fn a_wrong_descriptor_is_named() {
    for wrong in ["1", "-3", "x"] {
        let text = String::from_utf8(run(&[("INIT_NOTIFY", wrong)]).stderr).unwrap();
        assert!(text.contains(&format!("ERROR exampled: INIT_NOTIFY={wrong} names no descriptor")), "{text}");
    }
}
