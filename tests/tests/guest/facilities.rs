//! What a driver's files set and show takes effect on the device, as its features.toml claims.

use std::time::Duration;

use testbed::features;
use testbed::guest::Running;
use testbed::peer::Peer;
use testbed::station;

use crate::nics::Card;
use crate::{MAC, MAC_TEXT};

const BROADCAST: [u8; 6] = [0xff; 6];
const STRANGER: [u8; 6] = [0x52, 0x54, 0, 0x99, 0x99, 0x99];
const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
const OTHER_GROUP: [u8; 6] = [0x33, 0x33, 0x00, 0x00, 0x00, 0x16];
const OTHER_MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x99];

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// In the guest: frames are read into a file, and looked for in it.
const LISTEN: &str = r#"
    cd /scheme/network.*
    cat frame >/tmp/heard & reader=$!
    until ls -l /proc/$reader/fd 2>&- | grep -q frame; do usleep 10000; done
    # step NAME: lets the host send, and says which of the frames came. A setting is with the device when the next report
    # of it has been made.
    step() {
        cat registers >/dev/null
        : >/tmp/heard
        echo "step $1"
        until grep -q "end of $1" /tmp/heard; do usleep 10000; done
        for word in own everybody stranger group another-group moved; do
            if grep -q "to $word" /tmp/heard; then echo "$1: $word"; fi
        done
    }
"#;

mod settings_take_effect_at_once {
    crate::nics::on_every_nic!(super::settings_take_effect);
}

fn settings_take_effect(card: Card) {
    let peer = Peer::new().unwrap();
    let script = format!(
        r#"{LISTEN}
        step plain
        echo '+multicast 01:00:5e:00:00:fb' >filter; step listed
        echo 'allmulti on' >filter; step groups
        printf 'promisc on\nallmulti off\n' >filter; step all
        printf 'promisc off\n-multicast 01:00:5e:00:00:fb\n' >filter
        echo 52:54:00:12:34:99 >address; step moved; cat address

        echo 67 2>&- >mtu || echo refused; echo 70000 2>&- >mtu || echo refused; cat mtu
        echo 9000 2>&- >mtu; cat mtu
        kill $reader
        dd if=frame of=/tmp/one bs=65536 count=1 2>&- & reader=$!
        until ls -l /proc/$reader/fd 2>&- | grep -q frame; do usleep 10000; done
        echo step jumbo
        wait $reader; wc -c </tmp/one; dd if=/tmp/one of=frame bs=65536 count=1 2>&-

        exec 3<frame
        changes() {{ sed -n 's/^link_changes //p' stats; }}
        until grep -q 'state up' link; do usleep 10000; done; before=$(changes)
        echo step unplug; until grep -q 'state down' link; do usleep 10000; done
        echo step plug; until grep -q 'state up' link; do usleep 10000; done
        echo link_changes $(($(changes) - before))
        [ $(wc -l <registers) -ge 4 ] && echo dumped
        "#
    );
    let guest = card.guest().nic(peer.nic(&with_address(card.model))).without_netd().limit(100);
    let mut running = guest.start(&script).unwrap();
    for step in ["plain", "listed", "groups", "all", "moved"] {
        running.wait_for(&format!("step {step}\n"), PATIENCE).unwrap();
        send_to_all(&peer, step);
    }
    let jumbo = features::of_device(card.name).unwrap().does("jumbo");
    let longest = frame(OTHER_MAC, "own", if jumbo { 9014 } else { 1514 });
    running.wait_for("step jumbo\n", PATIENCE).unwrap();
    peer.send(&longest).unwrap();
    let back = peer.receive(PATIENCE).unwrap();
    assert!(back.is_some_and(|back| back == longest), "the longest frame came back otherwise, or not");
    pull_the_cable(&mut running);

    let (mtu, length) = if jumbo { (9000, 9014) } else { (1500, 1514) };
    let wanted = format!(
        "plain: own\nplain: everybody\n\
         listed: own\nlisted: everybody\nlisted: group\n\
         groups: own\ngroups: everybody\ngroups: group\ngroups: another-group\n\
         all: own\nall: everybody\nall: stranger\nall: group\nall: another-group\nall: moved\n\
         moved: everybody\nmoved: moved\n52:54:00:12:34:99\n\
         refused\nrefused\n1500\n{mtu}\n{length}\nlink_changes 2\ndumped\n"
    );
    let finished = running.finish().unwrap();
    let said: String = finished
        .success()
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("step"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(said, wanted);
}

fn pull_the_cable(running: &mut Running) {
    for (step, cable) in [("unplug", false), ("plug", true)] {
        running.wait_for(&format!("step {step}\n"), PATIENCE).unwrap();
        running.run().monitor().plug(cable).unwrap();
    }
}

/// A device of the model, with the address that the tests know.
fn with_address(model: &str) -> String {
    format!("{model},mac={MAC_TEXT}")
}

/// Sends a frame to each kind of destination, and one that everybody gets to end the step.
fn send_to_all(peer: &Peer, step: &str) {
    for (destination, name) in [
        (MAC, "own"),
        (BROADCAST, "everybody"),
        (STRANGER, "stranger"),
        (GROUP, "group"),
        (OTHER_GROUP, "another-group"),
        (OTHER_MAC, "moved"),
    ] {
        peer.send(&frame(destination, name, 100)).unwrap();
    }
    let mut end = frame(BROADCAST, "", 100);
    let text = format!("end of {step}");
    end[14..14 + text.len()].copy_from_slice(text.as_bytes());
    peer.send(&end).unwrap();
}

/// A frame of `length` bytes that says to whom it goes.
fn frame(destination: [u8; 6], name: &str, length: usize) -> Vec<u8> {
    let text = format!("to {name} ");
    let mut frame = [&destination[..], &station::MAC, &[0x88, 0xb5], text.as_bytes()].concat();
    frame.resize(length, b'.');
    frame
}

mod it_starts_and_stops_under_traffic {
    crate::nics::on_every_nic!(super::starts_and_stops);
}

fn starts_and_stops(card: Card) {
    let peer = Peer::new().unwrap();
    let script = format!(
        r#"
        memory() {{ awk '/^RssAnon/ {{ print $2 }}' /proc/$(pidof $(basename -a -s .toml /usr/lib/pcid.d/*.toml))/status; }}
        cd /scheme/network.*
        open_and_close() {{ for try in $(seq $1); do exec 3<frame; exec 3<&-; done; }}
        echo traffic
        open_and_close 20; before=$(memory)
        open_and_close 480; after=$(memory)
        [ $((after - before)) -lt 200 ] || echo "grew from $before kB to $after kB"
        grep -E 'tx_timeout|device_failures' stats
        {LISTEN}
        step calm
        "#
    );
    let guest = card.guest().nic(peer.nic(&with_address(card.model))).without_netd().limit(100);
    let mut running = guest.start(&script).unwrap();
    running.wait_for("traffic\n", PATIENCE).unwrap();
    while running.wait_for("device_failures", Duration::ZERO).is_err() {
        // As many as the device takes.
        peer.try_send(&frame(MAC, "nobody", 600)).unwrap();
    }
    running.wait_for("step calm\n", PATIENCE).unwrap();
    send_to_all(&peer, "calm");
    let finished = running.finish().unwrap();
    let wanted = "traffic\ntx_timeout 0\ndevice_failures 0\nstep calm\ncalm: own\ncalm: everybody\n";
    assert_eq!(finished.success().unwrap(), wanted);
}
