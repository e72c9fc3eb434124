//! A device that nobody has open is powered down, which its configuration space shows, and frames pass again when somebody
//! has.

use std::collections::BTreeMap;

use probe::sequence;
use testbed::features::Claims;

use super::{PATIENCE, Trial};
use crate::MAC;

/// What the guest sends: to 52:54:00:bb:bb:bb, padded to the shortest frame.
const SENT: &[u8] = b"RT\0\xbb\xbb\xbbRT\0\x124V\x88\xb5it is back";

/// A device that cannot be powered down says so in `features`. Where the state stands the list of capabilities tells
/// (PCI Local Bus Specification 3.0, 6.7).
pub const SCRIPT: &str = r#"
    tell power grep power features
    if grep -q 'power on' features; then
        function=${PWD##*/network.pci-}
        config=/sys/bus/pci/devices/$(echo ${function%%_*} | tr - :)/config
        byte() { od -An -tu1 -j$1 -N1 $config | tr -d ' '; }
        place=$(byte 52)
        until [ $(byte $place) = 1 ]; do place=$(byte $((place + 1))); done
        state() { echo D$(($(byte $((place + 4))) & 3)); }
        tell used_state state; tell used cat power
        exec 3>&- 4>&-
        until grep -q D3hot power; do usleep 50000; done
        tell unused_state state; tell unused_link cat link
        before=$(counter rx_packets)
        tell registers grep -c 0x registers
        tell looked_at cat power
        until grep -q D3hot power; do usleep 50000; done
        exec 3<>frame
        until grep -q 'state up' link; do usleep 10000; done
        tell again_state state
        printf 'RT\000\273\273\273RT\000\0224V\210\265it is back' >&3
        echo powered
        dd bs=2000 count=1 <&3 >/tmp/received 2>/dev/null
        tell received od -An -v -tx1 /tmp/received
        tell counted test $(counter rx_packets) -gt $before
    fi
"#;

/// Answers the frame that comes after it.
pub fn serve(trial: &mut Trial) {
    if !trial.claims.does("power-down") {
        return;
    }
    trial.running.wait_for("powered\n", PATIENCE).unwrap();
    while trial.peer.receive(PATIENCE).unwrap().unwrap() != sent() {}
    trial.peer.send(&sequence::frame(MAC, 78)).unwrap();
}

fn sent() -> Vec<u8> {
    let mut frame = SENT.to_vec();
    frame.resize(60, 0);
    frame
}

pub fn check(claims: &Claims, said: &BTreeMap<&str, &str>) {
    let is_managed = claims.does("power-down");
    assert_eq!(said["power"], if is_managed { "power on" } else { "power unsupported" });
    if is_managed {
        assert_eq!((said["used_state"], said["used"]), ("D0", "state D0"));
        assert_eq!((said["unused_state"], said["unused_link"]), ("D3", "state down"));
        assert!(said["registers"].parse::<u32>().unwrap() > 10, "{}", said["registers"]);
        assert_eq!((said["looked_at"], said["again_state"]), ("state D0", "D0"));
        let digits = said["received"].split_whitespace();
        let received: Vec<_> = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        assert_eq!(received, sequence::frame(MAC, 78));
        assert_eq!(said["counted"], "");
    }
}
