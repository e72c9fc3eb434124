use std::fs;
use std::sync::Mutex;

use config::pcid;

use super::*;

/// A program started between a pipe's making and its closing inherits the pipe, so one test starts at a time.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts `script` as a driver would be started; gives what came of it and what is in its log.
fn start(script: &str) -> (Result<Outcome, SpawnError>, String) {
    let directory = tempfile::tempdir().unwrap();
    let text = format!("[[drivers]]\ncommand = ['/bin/sh', '-c', '''{script}''']");
    let drivers = pcid::parse(Path::new("test.toml"), &text).unwrap();
    let spawner = Spawner { log_directory: directory.path().to_owned(), limit: Duration::from_millis(500) };
    let _alone = STARTING.lock().unwrap();
    let outcome = spawner.start("0000:00:03.0", &drivers[0]);
    (outcome, fs::read_to_string(directory.path().join("sh.log")).unwrap())
}

#[test]
fn a_driver_learns_its_function_and_is_ready_at_its_zero_byte() {
    let (outcome, log) = start(r#"echo "I have $PCID_FUNCTION"; printf '\0' >/proc/self/fd/$INIT_NOTIFY"#);
    assert_eq!(outcome.unwrap(), Outcome::Ready);
    assert_eq!(log, "I have 0000:00:03.0\n");
}

#[test]
fn a_driver_that_ends_at_once_is_gone_and_its_last_words_are_logged() {
    let (outcome, log) = start("echo no device >&2; exit 3");
    let Outcome::Gone(status) = outcome.unwrap() else { panic!("the driver has ended") };
    assert_eq!(status.code(), Some(3));
    assert_eq!(log, "no device\n");
}

#[test]
fn a_driver_that_stays_silent_is_not_waited_for_without_end() {
    let (outcome, _) = start("exec sleep 2");
    assert_eq!(outcome.unwrap(), Outcome::NotYet(Duration::from_millis(500)));
}

#[test]
fn another_byte_is_not_readiness() {
    let (outcome, _) = start("printf x >/proc/self/fd/$INIT_NOTIFY; exec sleep 2");
    assert_eq!(outcome.unwrap(), Outcome::NotYet(Duration::from_millis(500)));
}

#[test]
fn a_driver_inherits_nothing_but_its_log_and_its_pipe() {
    // As a careless parent leaves it: open at the start of another program, too.
    let secret = rustix::io::dup(File::open("/dev/null").unwrap()).unwrap();
    let script = format!("[ -e /proc/self/fd/{} ] && echo inherited; exit 0", secret.as_raw_fd());
    let (_, log) = start(&script);
    assert_eq!(log, "");
}

#[test]
fn a_missing_program_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let drivers = pcid::parse(Path::new("test.toml"), "[[drivers]]\ncommand = ['/nowhere/nicd']").unwrap();
    let error = Spawner::new(directory.path()).start("0000:00:03.0", &drivers[0]).unwrap_err();
    assert!(error.to_string().starts_with("cannot run /nowhere/nicd: "), "{error}");
}
