//! Bad input gets a clear error, and everything goes on.

use std::io::Read;
use std::time::Duration;

use probe::data::Random;
use probe::sequence;
use testbed::guest::{Guest, Running};
use testbed::nic::Nic;
use testbed::peer::Peer;
use testbed::server::ClosedPort;
use testbed::station::{self, Dhcp};

use crate::{MAC, MAC_TEXT, WAIT_FOR_LEASE};

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_driver_refuses_what_makes_no_sense() {
    let script = "
        cd /scheme/network.*
        echo -n 'too short' >frame
        head -c 2000 /dev/zero | dd of=frame bs=2000 iflag=fullblock
        cat no-such-node
        echo 01:00:5e:00:00:01 >address
        echo up >link
        echo 70000 >mtu
        echo abc >mtu
        cat mtu
        PCID_FUNCTION=0000:00:03.0 /usr/lib/drivers/e1000d && echo claimed twice
        cat address
    ";
    let finished = Guest::default().nic(Nic::user(&format!("e1000,mac={MAC_TEXT}"))).run(script).unwrap();
    let said = finished.stderr();
    assert_eq!(finished.success().unwrap(), format!("1500\n{MAC_TEXT}\n"), "{said}");
    assert_eq!(said.matches("Invalid argument").count(), 5, "two frames, an address, two MTUs: {said}");
    assert!(said.contains("no-such-node': No such file or directory"), "{said}");
    assert!(said.contains("link: Permission denied"), "{said}");
    assert!(said.contains("0000:00:03.0 is claimed by another driver"), "{said}");
    let log = finished.log("e1000d").unwrap();
    assert!(log.contains("9 bytes"), "the frame is named: {log}");
    assert_eq!(log.matches("`mtu` keeps its value").count(), 2, "{log}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn netd_waits_for_a_nic_that_is_not_there() {
    let finished = Guest::default().run("netcfg; ls /scheme; cat /scheme/netcfg/ifaces/eth0/driver").unwrap();
    let text = finished.success().unwrap();
    assert!(text.ends_with("none\n"), "{text}");
    for scheme in ["icmp\n", "ip\n", "netcfg\n", "tcp\n", "udp\n"] {
        assert!(text.contains(scheme), "{scheme} in {text}");
    }
    let log = finished.log("pcid-spawner").unwrap();
    assert!(log.contains("no network controller"), "{log}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_nic_without_a_driver_is_named() {
    let guest = Guest::default().nic(Nic::user("tulip")).nic(Nic::user("e1000"));
    let finished = guest.run(&format!("{WAIT_FOR_LEASE}\nls -d /scheme/network.*")).unwrap();
    assert_eq!(
        finished.success().unwrap(),
        "/scheme/network.pci-0000-00-04.0_e1000\n",
        "the other one works"
    );
    let log = finished.log("pcid-spawner").unwrap();
    let named = log.lines().any(|line| line.contains("no driver") && line.contains("0000:00:03.0"));
    assert!(named, "{log}");
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn a_port_in_use_and_a_refused_connection_are_told() {
    let closed = ClosedPort::take().unwrap();
    let script = format!(
        "{WAIT_FOR_LEASE}
         probe hold tcp /0.0.0.0:8080 >/tmp/holder &
         until grep -q holding /tmp/holder; do usleep 10000; done
         timeout 5 probe hold tcp /0.0.0.0:8080
         timeout 20 probe fetch 10.0.2.2:{} /
         probe ping 10.0.2.2 1",
        closed.number()
    );
    let finished = Guest::default().nic(Nic::user("e1000")).run(&script).unwrap();
    let said = finished.stderr();
    assert_eq!(finished.success().unwrap(), "1 replies\n", "{said}");
    assert!(said.contains("8080: Address already in use"), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
}

/// A guest that begins with `script` and then goes on until a numbered frame comes.
fn start(peer: &Peer, script: &str) -> Running {
    let script = format!(
        "{script}
         probe receive-frames $(ls /scheme | grep ^network) 1 200
         pidof e1000d netd | wc -w"
    );
    Guest::default().nic(peer.nic(&format!("e1000,mac={MAC_TEXT}"))).limit(240).start(&script).unwrap()
}

/// Lets such a guest end, in which both daemons are alive and never panicked.
fn end(peer: &Peer, mut running: Running) {
    running.wait_for("listening", Duration::from_secs(30)).unwrap();
    peer.send(&sequence::frame(MAC, 0)).unwrap();
    let finished = running.finish().unwrap();
    assert!(finished.success().unwrap().ends_with("\n2\n"), "both daemons are alive");
    let logs = [finished.log("netd").unwrap(), finished.log("e1000d").unwrap()].concat();
    assert!(!logs.contains("panicked"), "{logs}");
}

/// A frame that is sound up to some point, or not at all.
fn mutilated(random: &mut Random) -> Vec<u8> {
    let mut payload = vec![0; random.below(600)];
    random.read_exact(&mut payload).unwrap();
    let mut frame = match random.below(4) {
        0 => station::arp_request(),
        1 => station::echo_request(MAC, 0, &payload),
        2 => station::datagram(67, 68, &payload),
        _ => [&MAC[..], &payload].concat(),
    };
    if random.below(2) == 0 {
        let place = random.below(frame.len());
        frame[place] = random.number() as u8;
    }
    if random.below(2) == 0 {
        frame.truncate(1 + random.below(frame.len()));
    }
    frame
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn random_and_truncated_frames_do_no_harm() {
    let peer = Peer::new().unwrap();
    let mut running = start(&peer, "echo 192.168.7.2/24 >/scheme/netcfg/ifaces/eth0/addr/set");
    running.wait_for("listening", Duration::from_secs(60)).unwrap();

    let mut random = Random::new(4711);
    for _ in 0..100_000 {
        peer.send(&mutilated(&mut random)).unwrap();
        // What the guest answers is taken, so that it can go on.
        while peer.receive_now().unwrap().is_some() {}
    }
    assert!(station::ping(&peer, MAC, Duration::from_secs(60)).unwrap(), "netd still answers");
    end(&peer, running);
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn malformed_offers_are_passed_over_and_a_sound_one_is_taken() {
    let peer = Peer::new().unwrap();
    let running = start(&peer, WAIT_FOR_LEASE);
    let mut offered = false;
    loop {
        let frame = peer.receive(Duration::from_secs(60)).unwrap().expect("netd goes on asking");
        station::answer_arp(&peer, &frame).unwrap();
        let Some(request) = station::dhcp_request(&frame) else { continue };
        let answer = |message: &[u8]| peer.send(&station::datagram(67, 68, message)).unwrap();
        match station::dhcp_type(&request) {
            Some(kind) if kind == Dhcp::Discover as u8 => {
                malformed(&station::dhcp_answer(&request, Dhcp::Offer))
                    .iter()
                    .for_each(|message| answer(message));
                if offered {
                    answer(&station::dhcp_answer(&request, Dhcp::Offer));
                }
                offered = true;
            }
            Some(kind) if kind == Dhcp::Request as u8 => {
                assert!(offered, "a malformed offer was taken");
                answer(&station::dhcp_answer(&request, Dhcp::Ack));
                break;
            }
            other => panic!("DHCP message of type {other:?}"),
        }
    }
    assert!(station::ping(&peer, MAC, Duration::from_secs(20)).unwrap(), "the address is in use");
    end(&peer, running);
}

/// Offers that are wrong, each in its own way.
fn malformed(offer: &[u8]) -> Vec<Vec<u8>> {
    let changed = |place: usize, bytes: &[u8]| {
        let mut message = offer.to_vec();
        message.splice(place..place + bytes.len(), bytes.iter().copied());
        message
    };
    let options = station::DHCP_OPTIONS;
    vec![
        Vec::new(),
        offer[..options - 4].to_vec(),
        offer[..options + 1].to_vec(),
        changed(0, &[1]),
        changed(4, &[0xde, 0xad, 0xbe, 0xef]),
        changed(16, &[255, 255, 255, 255]),
        changed(16, &[0, 0, 0, 0]),
        changed(options - 4, &[0, 0, 0, 0]),
        changed(options + 1, &[255]),
        changed(options + 4, &[200]),
        [&offer[..options], &[53, 0, 54, 0, 51, 0, 255]].concat(),
    ]
}
