//! The program over Linux's own sockets: every check passes there, so none asks for more than sockets do.

#![allow(clippy::unwrap_used, reason = "in a test, what must not be ends the test")]

use std::net::Ipv4Addr;
use std::process::{Command, Output};

use testbed::sockets::Peer;

fn run(check: &str, peer: &Peer) -> Output {
    let arguments = peer.arguments(Ipv4Addr::LOCALHOST);
    Command::new(env!("CARGO_BIN_EXE_sockets")).arg(check).args(arguments).arg("localhost").output().unwrap()
}

#[test]
fn every_check_passes_over_linuxs_own_sockets() {
    let output = run("all", &Peer::start().unwrap());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("ok ")).count(), 28, "{said}");
}

#[test]
fn a_check_that_fails_is_told_by_name_and_status() {
    // Something listens on the port that should be closed.
    let output = run("refused", &Peer::start().unwrap().with_an_open_port());
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("FAILED refused: "));
}
