//! What holds for every command of `netcfg`, whichever there are: found by its own help.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Commands that answer, with what they are asked here, and where `--json` makes JSON of the answer.
const QUERIES: [&str; 23] = [
    "show",
    "link",
    "link show eth0",
    "addr",
    "addr show eth0",
    "route",
    "route show",
    "neigh eth0",
    "dns",
    "dns show",
    "dhcp",
    "dhcp show eth0",
    "sockets",
    "stats eth0",
    "features eth0",
    "coalesce eth0",
    "rings eth0",
    "rss eth0",
    "media eth0",
    "wake eth0",
    "eeprom eth0",
    "monitor",
    // Against a netd that runs: see the other tests.
    "ping",
];

/// Commands that change something, and those whose answer is no text.
const OTHERS: [&str; 30] = [
    "link set",
    "link set up",
    "link set down",
    "link set mtu",
    "link set mac",
    "link set vlan",
    "link set metric",
    "addr add",
    "addr rm",
    "addr set",
    "route add",
    "route rm",
    "dns set",
    "dns search",
    "dns clear",
    "dhcp renew",
    "dhcp on",
    "dhcp off",
    "apply",
    "confirm",
    "save",
    "capture",
    "selftest",
    "identify",
    "rss equal",
    "rss weight",
    "rss table",
    "rss key",
    "rss hash",
    "completions",
];

fn netcfg(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netcfg")).args(arguments).env("SCHEME_ROOT", root).output().unwrap()
}

fn run(arguments: &[&str]) -> Output {
    netcfg(Path::new("/nowhere"), arguments)
}

/// What stands before `--help` for a command: the interface that some are about comes before their last word.
fn words(command: &[String]) -> Vec<&str> {
    let mut words: Vec<_> = command.iter().map(String::as_str).collect();
    if words.starts_with(&["link", "set"]) && words.len() > 2 {
        words.insert(2, "eth0");
    }
    if words.starts_with(&["rss"]) && words.len() > 1 {
        words.insert(1, "eth0");
    }
    words
}

fn help(command: &[String]) -> String {
    let output = run(&[&words(command)[..], &["--help"]].concat());
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    let lines =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("    "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// All commands below `command`.
fn below(command: &[String]) -> Vec<Vec<String>> {
    let own = listed(&help(command)).into_iter().map(|name| [command, &[name]].concat());
    own.flat_map(|own| [vec![own.clone()], below(&own)].concat()).collect()
}

fn all() -> Vec<Vec<String>> {
    let all = below(&[]);
    assert!(all.len() > 30, "{all:?}");
    all
}

#[test]
fn each_help_has_an_example_of_the_command() {
    for command in all() {
        let help = help(&command);
        let (_, example) = help.split_once("\nExample").unwrap_or_else(|| panic!("{help}"));
        assert!(example.contains(&format!("netcfg {}", words(&command).join(" "))), "{help}");
    }
    assert!(help(&[]).contains("Exit status: 0 done, 1"));
}

#[test]
fn a_wrong_word_is_answered_with_the_right_one_and_2() {
    for command in all() {
        let mut wrong = command.clone();
        let last = wrong.last_mut().unwrap();
        last.push('x');
        let output = run(&words(&wrong));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {error}");
        assert!(error.contains(&format!("'{}'", command.last().unwrap())), "{wrong:?}: {error}");
    }
}

#[test]
fn shells_complete_each_command() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = String::from_utf8(run(&["completions", shell]).stdout).unwrap();
        for command in all() {
            assert!(completions.contains(command.last().unwrap()), "{shell}: {command:?}");
        }
    }
}

#[test]
fn each_command_is_a_query_or_none() {
    let is_name = |word: &&str| *word != "eth0";
    let names = |lines: &[&str]| -> BTreeSet<String> {
        let name = |line: &&str| line.split(' ').filter(is_name).collect::<Vec<_>>().join(" ");
        lines.iter().map(name).collect()
    };
    let known: BTreeSet<_> = names(&QUERIES).union(&names(&OTHERS)).cloned().collect();
    let all: BTreeSet<_> = all().iter().map(|command| command.join(" ")).collect();
    assert_eq!(all, known);
}

#[test]
fn each_query_answers_in_json() {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("ifaces/eth0/state", "up\n"),
        ("ifaces/eth0/driver", "network.test\n"),
        ("ifaces/eth0/dhcp/state", "searching\n"),
        ("ifaces/eth0/neigh", "10.0.0.1 02:00:00:00:00:01 reachable\n"),
        ("ifaces/eth0/stats", "rx_packets 1\n"),
        ("ifaces/eth0/features", "tso off\n"),
        ("ifaces/eth0/coalesce", "rx-usecs 50\n"),
        ("ifaces/eth0/rings", "rx 256\n"),
        ("ifaces/eth0/media", "autoneg on\n"),
        ("ifaces/eth0/wake", "magic off\n"),
        ("../network.test/eeprom", "RT"),
        ("../network.test/rss", "key 6d:5a\ntable 0 1\nhash none\n"),
        ("../network.test/stats", "rx_queue_0_packets 1\nrx_queue_0_bytes 60\n"),
        ("sockets", ""),
        ("events", "state eth0 up\n"),
        ("resolv/nameservers", "10.0.2.3\n"),
        ("route/list", "default via 10.0.2.2 dev eth0 src 10.0.2.15\n"),
    ] {
        let file = root.path().join("netcfg").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    for query in QUERIES.into_iter().filter(|query| *query != "ping") {
        let output = netcfg(root.path(), &query.split(' ').chain(["--json"]).collect::<Vec<_>>());
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str::<Value>(&text);
        assert!(output.status.success() && json.is_ok_and(|json| !json.is_null()), "{query}: {text}");
        let output = netcfg(root.path(), &query.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{query}: {output:?}");
    }
}
