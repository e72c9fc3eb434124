//! The `netcfg` command and netd itself, over real mounts. Needs root and /dev/fuse; says so and passes without.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use etherparse::{NetSlice, SlicedPacket};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Everything here ends within this time, or is broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// Names the process that is to be netd.
const MARK: &str = "NETCFG_TEST_IS_NETD";

/// netd, when it is started again by [`Netd::start`].
#[test]
fn netd() {
    if std::env::var_os(MARK).is_some() {
        netd::daemon::run(scheme::daemon::start("netd")).unwrap();
    }
}

/// A netd without NICs, whose `eth0` waits for one.
struct Netd {
    child: Child,
    root: TempDir,
}

impl Netd {
    fn start() -> Option<Self> {
        let is_fuse = File::options().read(true).write(true).open("/dev/fuse").is_ok();
        let root = tempfile::tempdir().unwrap();
        if !is_fuse || !is_root(root.path()) {
            println!("skipped: not root, or no /dev/fuse");
            return None;
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "netd", "--nocapture"])
            .env(MARK, "")
            .env("SCHEME_ROOT", root.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let netd = Self { child, root };
        let start = Instant::now();
        while !netd.root.path().join("netcfg/config/running").exists() {
            assert!(start.elapsed() < PATIENCE, "netd serves netcfg");
            thread::sleep(Duration::from_millis(10));
        }
        Some(netd)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netcfg"));
        command.args(arguments).env("SCHEME_ROOT", self.root.path());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn netcfg(&self, line: &str) -> String {
        let output = self.output(&line.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, line: &str, status: i32) -> String {
        let output = self.output(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(status), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.netcfg(&format!("{line} --json"))).unwrap()
    }

    /// A file for netd's own use, outside of its mounts.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.root.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Netd {
    fn drop(&mut self) {
        // Asked to end, it takes its mounts along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Whose files are root's is root.
fn is_root(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).unwrap().uid() == 0
}

#[test]
fn addresses_routes_and_name_servers_are_set_and_shown() {
    let Some(netd) = Netd::start() else { return };
    netd.netcfg("addr add 10.0.0.2/24 dev eth0");
    netd.netcfg("route add default via 10.0.0.1 metric 5");
    netd.netcfg("dns set 9.9.9.9 fd00::53");
    netd.netcfg("dns search home.arpa");
    assert_eq!(netd.json("addr show eth0"), json!([{ "name": "eth0", "addresses": ["10.0.0.2/24"] }]));
    let route = json!({
        "destination": "default", "via": "10.0.0.1", "interface": "eth0", "source": "10.0.0.2", "metric": 5,
    });
    assert!(netd.json("route").as_array().unwrap().contains(&route));
    assert_eq!(netd.netcfg("dns"), "KIND    NAME\nserver  9.9.9.9\nserver  fd00::53\nsearch  home.arpa\n");
    netd.netcfg("dns clear");
    assert_eq!(netd.json("dns"), json!({ "nameservers": [], "search": [] }));
    netd.netcfg("dhcp off eth0");
    assert_eq!(netd.netcfg("dhcp"), "NAME  DHCP\neth0  off\n");
    netd.netcfg("link set eth0 vlan add 10");
    assert_eq!(netd.json("link show eth0.10")[0]["name"], "eth0.10");
    netd.netcfg("link set eth0 mtu 1400");
    assert_eq!(netd.json("link show eth0")[0]["mtu"], 1400);
    netd.netcfg("route rm default dev eth0");
    netd.netcfg("addr rm 10.0.0.2/24 dev eth0");
    netd.netcfg("link set eth0 down");
    assert_eq!(netd.json("link show eth0")[0]["state"], "down");
    assert_eq!(netd.json("addr show eth0")[0]["addresses"], json!([]));
    assert!(!netd.netcfg("route").contains("default"));
}

#[test]
fn what_is_refused_says_why() {
    let Some(netd) = Netd::start() else { return };
    assert_eq!(
        netd.fails("route add default via 10.9.9.9", 1),
        "netcfg: no interface has a network with 10.9.9.9\n"
    );
    assert_eq!(netd.fails("link set lo down", 1), "netcfg: lo is as it is\n");
    let error = netd.fails("dhcp renew eht0", 1);
    assert_eq!(error, "netcfg: there is no interface `eht0`: there are eth0, lo\n");
    assert_eq!(netd.fails("features eth0", 1), "netcfg: eth0 has no driver\n");
    assert_eq!(netd.fails("confirm", 1), "netcfg: nothing is on trial\n");
    assert!(netd.fails("addr add 10.0.0.0/24 dev eth0", 2).contains("is not an address of a host"));
    assert!(netd.fails("link set eth0 mutt 9000", 2).contains("a similar subcommand exists: 'mtu'"));
}

#[test]
fn a_normal_user_reads_and_changes_nothing() {
    const NOBODY: u32 = 65534;
    let Some(netd) = Netd::start() else { return };
    fs::set_permissions(netd.root.path(), Permissions::from_mode(0o755)).unwrap();
    let netcfg = netd.root.path().join("netcfg-for-all");
    // Not by us: what another test starts at that moment would hold the copy open for writing, and nobody could run it.
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_netcfg")).arg(&netcfg).status().unwrap().success());
    let file = netd.file("new.toml", STATIC);
    let run = |line: &str| {
        let mut command = Command::new(&netcfg);
        command.args(line.split(' ')).env("SCHEME_ROOT", netd.root.path());
        command.uid(NOBODY).gid(NOBODY).output().unwrap()
    };
    for query in [
        "show",
        "link",
        "addr",
        "route",
        "neigh",
        "dns",
        "dhcp",
        "sockets",
        "stats lo",
        "ping 127.0.0.1 -c 1",
    ] {
        let output = run(query);
        assert!(output.status.success(), "{query}: {output:?}");
    }
    let before = netd.netcfg("show --json");
    for change in [
        "link set eth0 down",
        "link set eth0 mtu 1400",
        "link set eth0 mac 52:54:00:12:34:57",
        "link set eth0 vlan add 10",
        "link set eth0 metric 5",
        "addr add 10.0.0.2/24 dev eth0",
        "addr set 10.0.0.2/24 dev eth0",
        "addr rm 10.0.0.2/24 dev eth0",
        "route add 10.0.0.0/8 dev eth0",
        "route rm default dev eth0",
        "dns set 9.9.9.9",
        "dns search home.arpa",
        "dns clear",
        "dhcp off eth0",
        "dhcp on eth0",
        "dhcp renew eth0",
        "capture eth0 --seconds 1",
        "confirm",
        &format!("apply {file}"),
        &format!("apply {file} --confirm 5"),
    ] {
        let output = run(change);
        assert_eq!(output.status.code(), Some(1), "{change}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("root"), "{change}: {output:?}");
    }
    assert_eq!(netd.netcfg("show --json"), before);
}

const STATIC: &str = "[[interface]]\nmatch.name = \"eth0\"\naddresses = [\"10.0.0.2/24\"]\n";

#[test]
fn a_configuration_is_applied_and_saved() {
    let Some(netd) = Netd::start() else { return };
    let file = netd.file("new.toml", &format!("# Ours.\n{STATIC}"));
    netd.netcfg(&format!("apply {file}"));
    assert_eq!(netd.json("addr show eth0")[0]["addresses"], json!(["10.0.0.2/24"]));
    netd.netcfg("link set eth0 metric 7");
    netd.netcfg(&format!("save {file}"));
    let saved = fs::read_to_string(&file).unwrap();
    assert!(saved.ends_with(&format!("{STATIC}metric = 7\n")), "{saved}");
    assert!(!Path::new(&format!("{file}.new")).exists());

    let wrong = netd.file("wrong.toml", &STATIC.replace("addresses", "adresses"));
    let error = netd.fails(&format!("apply {wrong}"), 1);
    assert_eq!(error, format!("netcfg: {wrong}:3: unknown key `adresses`, did you mean `addresses`?\n"));
    assert_eq!(netd.json("addr show eth0")[0]["addresses"], json!(["10.0.0.2/24"]));
}

#[test]
fn what_is_not_confirmed_goes_back() {
    let Some(netd) = Netd::start() else { return };
    let file = netd.file("new.toml", STATIC);
    let addresses = || netd.json("addr show eth0")[0]["addresses"].clone();
    netd.netcfg(&format!("apply {file} --confirm 2"));
    assert_eq!(addresses(), json!(["10.0.0.2/24"]));
    let start = Instant::now();
    while addresses() != json!([]) {
        assert!(start.elapsed() < PATIENCE, "what was before returns");
        thread::sleep(Duration::from_millis(50));
    }
    netd.netcfg(&format!("apply {file} --confirm 2"));
    netd.netcfg("confirm");
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(addresses(), json!(["10.0.0.2/24"]));
    netd.fails(&format!("apply {file} --confirm 0"), 1);
}

/// The next line, which must come.
fn line(reader: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line
}

#[test]
fn changes_are_told_as_they_happen() {
    let Some(netd) = Netd::start() else { return };
    let mut monitor = netd.command(&["monitor", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(monitor.stdout.take().unwrap());
    // The monitor begins at some time; a change after that is told.
    let mut up = false;
    let told = thread::spawn(move || line(&mut lines));
    let start = Instant::now();
    while !told.is_finished() && start.elapsed() < PATIENCE {
        netd.netcfg(if up { "link set eth0 up" } else { "link set eth0 down" });
        up = !up;
        thread::sleep(Duration::from_millis(100));
    }
    let event: Value = serde_json::from_str(&told.join().unwrap()).unwrap();
    assert_eq!(event["kind"], "state");
    assert!(event["text"].as_str().unwrap().starts_with("state eth0 "), "{event}");
    monitor.kill().unwrap();
    monitor.wait().unwrap();
}

/// The packets in a pcapng file.
fn packets(path: &str) -> Vec<Vec<u8>> {
    let word = |bytes: &[u8], at: usize| u32::from_ne_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    let bytes = fs::read(path).unwrap();
    let (mut rest, mut packets) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        if word(rest, 0) == 6 {
            packets.push(rest[28..28 + word(rest, 20)].to_vec());
        }
        rest = &rest[word(rest, 4)..];
    }
    packets
}

#[test]
fn an_echo_comes_back_and_is_captured() {
    let Some(netd) = Netd::start() else { return };
    let file = netd.root.path().join("lo.pcapng").to_string_lossy().into_owned();
    let arguments = ["capture", "lo", "-w", &file, "--count", "2", "--seconds", "15", "icmp"];
    let mut capture = netd.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while fs::metadata(&file).map_or(0, |file| file.len()) == 0 {
        assert!(start.elapsed() < PATIENCE, "the capture begins");
        thread::sleep(Duration::from_millis(10));
    }
    let answer = netd.json("ping 127.0.0.1 -c 1");
    assert_eq!((&answer["sent"], &answer["received"]), (&json!(1), &json!(1)));
    let mut said = String::new();
    capture.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(capture.wait().unwrap().success());
    assert_eq!(said, "2 packets captured, 0 lost\n");
    for packet in packets(&file) {
        let Some(NetSlice::Ipv4(ip)) = SlicedPacket::from_ip(&packet).unwrap().net else {
            panic!("{packet:?}")
        };
        assert_eq!(ip.header().destination(), [127, 0, 0, 1]);
    }
    assert_eq!(packets(&file).len(), 2);
    assert!(netd.fails("capture lo tpc", 1).contains("did you mean `tcp`?"));
    assert!(netd.fails("ping 192.0.2.1 -c 1", 1).contains("192.0.2.1"));
}

#[test]
fn sockets_are_shown() {
    let Some(netd) = Netd::start() else { return };
    let path = netd.root.path().join("tcp/%2F127.0.0.1:8080");
    let _listener = File::options().read(true).write(true).open(path).unwrap();
    let shown = netd.netcfg("sockets --listening");
    assert!(shown.contains("tcp       listen  127.0.0.1:8080  *       0         0       0\n"), "{shown}");
    let sockets = netd.json("sockets");
    assert_eq!(sockets[0]["local"], "127.0.0.1:8080");
    assert_eq!((&sockets[0]["remote"], &sockets[0]["uid"]), (&Value::Null, &Value::from(0)));
    assert!(netd.netcfg("stats lo").contains("lo    netd        rx_packets"), "counters");
}
