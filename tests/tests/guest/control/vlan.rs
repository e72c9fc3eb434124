//! Tags of VLANs are right on the wire and in the files, whether the device or the driver sees to them, and frames of
//! VLANs that nobody asked for do not come where the device can keep them away.

use std::collections::BTreeMap;

use scheme::vlan;
use scheme::vnet::{Header, SIZE};
use testbed::features::Claims;
use testbed::station;

use super::{PATIENCE, Trial};
use crate::MAC;
use crate::raw_frames::escaped;
use models::packets::{of_each_kind, unfinished};

/// VLAN 10, which is asked for, with a priority.
const WANTED: u16 = 0x600a;
/// VLAN 11, which is not.
const UNWANTED: u16 = 11;
/// No VLAN, but a priority.
const PRIORITY: u16 = 0xe000;

/// What is done with the device's features: as they are, all off, and as they are with the filter open.
const ROUNDS: [&str; 3] = ["on", "off", "open"];

/// Where frames say what they are, behind their header.
const SAYS: usize = 14;

/// In the guest: one frame that has its tag, and more whose tag is told beside them, leave in each round, after which the
/// host sends.
pub fn script() -> String {
    let beside: String =
        described().iter().map(|frame| format!("printf '{}' >&4\n", escaped(frame))).collect();
    format!(
        r#"
    tell vlan-features grep vlan features
    exec 4<>vnet
    echo '+vlan 10' >filter
    opened() {{ ls -l /proc/$1/fd 2>&- | grep -q "$2"; }}
    hex() {{ od -An -v -tx1 $1 | tr -d ' \n'; }}
    round() {{
        cat frame >/tmp/whole & whole=$!
        cat vnet >/tmp/described & described=$!
        until opened $whole frame && opened $described vnet; do usleep 10000; done
        cat registers >/dev/null
        printf '{}' >&3
        {beside}
        echo "round $1"
        until grep -q last /tmp/whole && grep -q last /tmp/described; do usleep 10000; done
        kill $whole $described
        tell "whole $1" hex /tmp/whole
        tell "described $1" hex /tmp/described
    }}
    round on
    features=$(grep vlan features)
    [ -z "$features" ] || echo "$features" | sed 's/on$/off/' >features; round off
    [ -z "$features" ] || echo "$features" >features
    echo 'promisc on' >filter; round open
    printf 'promisc off\n-vlan 10\n' >filter
"#,
        escaped(&in_it())
    )
}

/// What the guest sends with the tag in the frame.
fn in_it() -> Vec<u8> {
    tagged(&frame("from the guest"), WANTED)
}

/// What it sends with the tag beside, behind headers; the checksum is left to be done, too.
fn described() -> Vec<Vec<u8>> {
    let with_tag = |frame: &Vec<u8>| {
        let mut described = unfinished(frame);
        let header = Header::parse(described.first_chunk().unwrap()).unwrap();
        described[..SIZE].copy_from_slice(&Header { vlan: Some(WANTED), ..header }.bytes());
        described
    };
    of_each_kind(station::MAC, 333).iter().map(with_tag).collect()
}

/// Takes what the guest sends, and sends frames with tags of all kinds; what came, a round each.
pub fn serve(trial: &mut Trial) -> Vec<Vec<Vec<u8>>> {
    let Trial { peer, running, .. } = trial;
    let mut sent = Vec::new();
    for round in ROUNDS {
        running.wait_for(&format!("round {round}\n"), PATIENCE).unwrap();
        let next = || peer.receive(PATIENCE).unwrap().unwrap();
        sent.push((0..5).map(|_| next()).collect());
        for frame in [
            tagged(&frame("wanted"), WANTED),
            tagged(&frame("unwanted"), UNWANTED),
            frame("bare"),
            tagged(&frame("last"), PRIORITY),
        ] {
            peer.send(&frame).unwrap();
        }
    }
    sent
}

pub fn check(claims: &Claims, said: &BTreeMap<&str, &str>, sent: &[Vec<Vec<u8>>]) {
    let wanted: Vec<_> = of_each_kind(station::MAC, 333).iter().map(|frame| tagged(frame, WANTED)).collect();
    for sent in sent {
        assert_eq!(*sent, [&[in_it()][..], &wanted].concat());
    }
    let offers = |feature: &str| said["vlan-features"].contains(feature);
    let [strips, filters] = [offers("rx-vlan-offload"), offers("rx-vlan-filter")];
    assert_eq!(claims.does("vlan"), !said["vlan-features"].is_empty(), "{said:?}");
    for round in ROUNDS {
        let (is_on, keeps_out) = (round != "off", filters && round == "on");
        let mut comes = vec![("wanted", Some(WANTED)), ("bare", None), ("last", Some(PRIORITY))];
        if !keeps_out {
            comes.insert(1, ("unwanted", Some(UNWANTED)));
        }
        let whole =
            |(text, tag): &(&str, Option<u16>)| tag.map_or(frame(text), |tag| tagged(&frame(text), tag));
        let described = |come: &(&str, Option<u16>)| match come {
            (text, tag) if strips && is_on => {
                [&Header { vlan: *tag, ..Header::default() }.bytes()[..], &frame(text)].concat()
            }
            come => [&[0; SIZE][..], &whole(come)].concat(),
        };
        assert_eq!(said[&*format!("whole {round}")], hex(comes.iter().map(whole)), "{round}");
        assert_eq!(said[&*format!("described {round}")], hex(comes.iter().map(described)), "{round}");
    }
}

fn tagged(frame: &[u8], control: u16) -> Vec<u8> {
    let mut tagged = frame.to_vec();
    vlan::insert(&mut tagged, control);
    tagged
}

/// A frame for the guest, or from it, that says so.
fn frame(text: &str) -> Vec<u8> {
    let [to, from] = if text == "from the guest" { [station::MAC, MAC] } else { [MAC, station::MAC] };
    let mut frame = [&to[..], &from, &[0x88, 0xb5]].concat();
    frame.resize(100, 0);
    frame[SAYS..SAYS + text.len()].copy_from_slice(text.as_bytes());
    frame
}

fn hex(frames: impl Iterator<Item = Vec<u8>>) -> String {
    frames.flatten().map(|byte| format!("{byte:02x}")).collect()
}
