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
    let readiness = scheme::daemon::start("exampled");
    log::info!("starts");
    log::debug!("thinks");
    if std::env::var("INIT_NOTIFY").is_ok_and(|text| text == LATER.to_string()) {
        return tell_with_the_number_in_use(readiness);
    }
    readiness.tell();
    // A second start has nobody to tell, whatever the number names by now.
    scheme::daemon::start("exampled").tell();
}

/// A descriptor that nobody has open when a daemon starts.
const LATER: i32 = 321;

fn tell_with_the_number_in_use(readiness: scheme::daemon::Readiness) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let own = rustix::io::fcntl_dupfd_cloexec(&writer, LATER).unwrap();
    assert_eq!(own.as_raw_fd(), LATER);
    readiness.tell();
    rustix::io::write(&own, b"mine").unwrap();
    drop((own, writer));
    let mut written = Vec::new();
    reader.read_to_end(&mut written).unwrap();
    assert_eq!(written, b"mine");
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
fn a_daemon_serves_though_its_parent_is_gone() {
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::fcntl_setfd(&writer, FdFlags::empty()).unwrap();
    drop(reader);
    let output = run(&[("INIT_NOTIFY", &writer.as_raw_fd().to_string())]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("WARN exampled: INIT_NOTIFY: nobody was told of readiness: Broken pipe"), "{text}");
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
fn a_wrong_descriptor_is_named_and_the_daemon_goes_on() {
    for wrong in ["1", "-3", "x", "999"] {
        let text = String::from_utf8(run(&[("INIT_NOTIFY", wrong)]).stderr).unwrap();
        assert!(text.contains(&format!("WARN exampled: INIT_NOTIFY={wrong} is no open pipe")), "{text}");
        assert!(text.contains("INFO exampled: starts"), "{text}");
    }
}

#[test]
fn a_file_is_not_taken_for_the_parent() {
    let path = std::env::temp_dir().join(format!("scheme-daemon-{}", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    rustix::io::fcntl_setfd(&file, FdFlags::empty()).unwrap();
    let output = run(&[("INIT_NOTIFY", &file.as_raw_fd().to_string())]);
    let written = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success());
    assert_eq!(written, []);
}

#[test]
fn a_number_that_the_daemon_uses_itself_by_now_is_not_the_parents() {
    let output = run(&[("INIT_NOTIFY", &LATER.to_string())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
