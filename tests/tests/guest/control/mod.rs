//! The files by which a device is controlled do what they say, on the devices whose features.toml claims it, and say so
//! where there is nothing to be controlled. One boot a device serves them all.

mod capture;
mod coalesce;
mod media;
mod power;
pub mod queues;
mod requests;
mod rings;
mod vlan;

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::features::{self, Claims};
use testbed::guest::Running;
use testbed::peer::Peer;

use crate::MAC_TEXT;
use crate::nics::Card;

/// What the guest may take for a step.
const PATIENCE: Duration = Duration::from_secs(60);

/// In the guest: the device runs. `tell NAME COMMAND` says on a line what a command does.
pub const BEGIN: &str = r#"
    cd /scheme/network.*
    exec 3<>frame
    until grep -q 'state up' link; do usleep 10000; done
    counter() { sed -n "s/^$1 //p" stats; }
    tell() { name=$1; shift; echo "$name: $("$@" 2>&1 | tr '\n' ' ' | sed 's/ $//')"; }
"#;

/// What a file says that the device has nothing for.
const UNSUPPORTED: &str = "Operation not supported";

/// A running guest with its device, and what was claimed of it.
struct Trial {
    card: Card,
    claims: Claims,
    peer: Peer,
    running: Running,
}

mod files_that_control_the_device_do_what_they_say {
    crate::nics::on_every_nic!(super::control_files_do);
}

fn control_files_do(card: Card) {
    let peer = Peer::new().unwrap();
    let guest =
        card.guest().nic(peer.nic(&format!("{},mac={MAC_TEXT}", card.model))).without_netd().limit(150);
    let tagged = vlan::script();
    let scripts = [
        BEGIN,
        coalesce::SCRIPT,
        &tagged,
        queues::SCRIPT,
        rings::SCRIPT,
        media::SCRIPT,
        requests::SCRIPT,
        capture::SCRIPT,
        power::SCRIPT,
    ];
    let running = guest.start(&scripts.concat()).unwrap();
    let claims = features::of_device(card.name).unwrap();
    let mut trial = Trial { card, claims, peer, running };
    let moderate = coalesce::serve(&mut trial);
    let tagged = vlan::serve(&mut trial);
    queues::serve(&mut trial);
    let received = rings::serve(&mut trial);
    capture::serve(&mut trial);
    power::serve(&mut trial);

    let finished = trial.running.finish().unwrap();
    let said: BTreeMap<&str, &str> =
        finished.success().unwrap().lines().filter_map(|line| line.split_once(": ")).collect();
    coalesce::check(card, &trial.claims, &said, moderate);
    vlan::check(&trial.claims, &said, &tagged);
    queues::check(card, &trial.claims, &said);
    rings::check(&said, &received);
    media::check(&trial.claims, &said);
    requests::check(&trial.claims, &said);
    capture::check(&said);
    power::check(&trial.claims, &said);
}
