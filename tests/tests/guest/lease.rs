//! From a lease to a web page, on QEMU's user network.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use probe::data;
use testbed::guest::{Finished, Guest};
use testbed::nic::{Link, Nic};
use testbed::server;

use crate::WAIT_FOR_LEASE;
use crate::nics::Card;

/// 50 MB.
const LARGE: u64 = 50 << 20;

fn run(script: &str) -> Finished {
    run_with(Guest::default().nic(Nic::user("e1000")), script)
}

fn run_with(guest: Guest, script: &str) -> Finished {
    let guest = guest.limit(200);
    guest.run(&format!("{WAIT_FOR_LEASE}\n{script}")).unwrap()
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn netcfg_shows_a_lease_within_five_seconds() {
    let script = "
        for try in $(seq 50); do
            netcfg | grep -q 10.0.2.15/24 && break
            usleep 100000
        done
        netcfg && netcfg --json >&2
    ";
    let finished = Guest::default().nic(Nic::user("e1000")).run(script).unwrap();
    let text = finished.success().unwrap();
    for expected in ["10.0.2.15/24", "10.0.2.2", "10.0.2.3", "eth0", "lo", "127.0.0.1"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(finished.stderr().contains("\"10.0.2.15/24\""), "{}", finished.stderr());
}

mod large_files_come_and_go_whole {
    crate::nics::on_every_nic!(super::large_files_pass);
}

/// While they do, the MTU changes again and again. Some devices start anew for it, which TCP needs a second to get over.
pub fn large_files_pass(card: Card) {
    let port = server::web().unwrap().port();
    let script = format!(
        "while true; do for mtu in 1280 1500; do sleep 3; netcfg link set eth0 mtu $mtu; done; done & changing=$!
         probe fetch 10.0.2.2:{port} /{LARGE}/1; probe upload 10.0.2.2:{port} {LARGE} 2
         kill $changing
         cat /proc/interrupts >&2"
    );
    let finished = run_with(card.guest().nic(Nic::user(card.model)), &script);
    let sums = [1, 2].map(|seed| data::sum_of(seed, LARGE).unwrap());
    assert_eq!(finished.success().unwrap(), format!("{}\n{}", sums[0], sums[1]));
    assert!(finished.stderr().contains(card.interrupt), "{} in {}", card.interrupt, finished.stderr());
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_web_page_needs_no_more_than_the_shell() {
    let port = server::web().unwrap().port();
    let finished = run(&format!(
        "exec 3<>/scheme/tcp/10.0.2.2:{port}
         printf 'GET /5000/3 HTTP/1.0\\r\\n\\r\\n' >&3
         cat <&3 | tail -c 5000 | sha256sum"
    ));
    let sum = data::sum_of(3, 5000).unwrap();
    assert_eq!(finished.success().unwrap().split(' ').next(), sum.split(' ').nth(1));
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_listener_accepts_a_forwarded_connection() {
    let port = server::free_port().unwrap();
    let link = Link::User(format!("hostfwd=tcp:127.0.0.1:{port}-:8080"));
    let guest = Guest::default().nic(Nic { model: "e1000".to_owned(), link });
    let mut running = guest.start(&format!("{WAIT_FOR_LEASE}\nprobe accept 8080")).unwrap();
    running.wait_for("listening", Duration::from_secs(30)).unwrap();

    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    connection.write_all(b"hello guest").unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "hello guest");
    assert!(running.finish().unwrap().success().unwrap().contains("accepted 11"));
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn echoes_come_back() {
    let port = server::udp_echo().unwrap().port();
    let finished = run(&format!("probe udp-echo 10.0.2.2:{port} 'over udp'; probe ping 10.0.2.2 10"));
    assert_eq!(finished.success().unwrap(), "over udp\n10 replies\n");
}
