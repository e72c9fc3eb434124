//! Interrupts come as rarely as they are asked to.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use probe::sequence;
use testbed::features::Claims;

use super::{PATIENCE, Trial, UNSUPPORTED};
use crate::MAC;
use crate::nics::Card;

/// Frames of a step, one a millisecond.
const FRAMES: u32 = 300;

pub const SCRIPT: &str = r#"
    tell features grep coalesce features
    tell initial cat coalesce
    if grep -q usecs coalesce 2>&-; then
        echo 'rx-usecs 8000' >coalesce; tell asked cat coalesce
        received=$(counter rx_packets); interrupts=$(counter interrupts)
        echo step
        until [ $(counter rx_packets) -ge $((received + 300)) ]; do usleep 20000; done
        echo "interrupts: $(($(counter interrupts) - interrupts))"
    fi
    if grep -q adaptive coalesce 2>&-; then
        echo 'adaptive off' >coalesce; tell fixed cat coalesce
        echo 'adaptive on' >coalesce; usleep 50000; tell adaptive cat coalesce
    fi
"#;

/// Sends the frames; how long the device was asked to be moderate.
pub fn serve(trial: &mut Trial) -> Duration {
    if !trial.claims.does("coalesce") || trial.card.moderates_by_itself() {
        return Duration::ZERO;
    }
    trial.running.wait_for("step\n", PATIENCE).unwrap();
    let begin = Instant::now();
    for number in 0..FRAMES {
        trial.peer.send(&sequence::frame(MAC, number)).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    trial.running.wait_for("interrupts: ", PATIENCE).unwrap();
    begin.elapsed()
}

pub fn check(card: Card, claims: &Claims, said: &BTreeMap<&str, &str>, moderate: Duration) {
    if !claims.does("coalesce") {
        assert_eq!(said["features"], "coalesce unsupported");
        assert!(said["initial"].ends_with(UNSUPPORTED), "{said:?}");
        return;
    }
    assert_eq!(said["features"], "coalesce on");
    if card.moderates_by_itself() {
        assert_eq!(
            (said["initial"], said["fixed"], said["adaptive"]),
            ("adaptive on", "adaptive off", "adaptive on")
        );
        return;
    }
    let of = |interval: u32, adaptive: &str, now: u32| {
        format!(
            "rx-usecs {interval} tx-usecs {interval} adaptive {adaptive} rx-usecs-now {now} tx-usecs-now {now}"
        )
    };
    assert_eq!(said["initial"], of(50, "off", 50));
    assert_eq!((said["asked"], said["fixed"]), (&*of(8000, "off", 8000), &*of(8000, "off", 8000)));
    assert_eq!(said["adaptive"], of(8000, "on", 14));
    let interrupts: u32 = said["interrupts"].parse().unwrap();
    // By MSI-X, QEMU's 82574 does not count the interrupt that ends an interval as the beginning of the next.
    let most = 2 * (moderate.as_micros() / 8000) + 10;
    assert!(
        u128::from(interrupts) <= most || !card.keeps_intervals(),
        "{interrupts} interrupts in {moderate:?}"
    );
}
