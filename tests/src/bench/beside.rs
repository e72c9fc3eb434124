//! Drivers of ours beside Linux's own, for the same device, one after the other in the same guest.
//!
//! The program `cost` does the same with both, as often as it is asked. Against the wall clock that is a rate, in an emulated
//! machine; where the clock goes by instructions, the time that the processor was busy is their number, whatever it waited
//! for meanwhile.

use crate::guest::Guest;
use crate::nic::{Nic, slots};
use crate::peer::Peer;
use crate::qemu::{self, INSTRUCTION};
use crate::supply::Supply;
use crate::{Error, Result, server};

/// A model of QEMU's, and the modules that Linux has for it, those first that others need.
struct Device {
    model: &'static str,
    modules: &'static [&'static str],
}

/// Those that were measured.
const DEVICES: [Device; 6] = [
    Device { model: "e1000", modules: &["e1000"] },
    Device { model: "e1000e", modules: &["pps_core", "ptp", "e1000e"] },
    Device { model: "igb", modules: &["pps_core", "ptp", "dca", "i2c_algo_bit", "igb"] },
    Device { model: "rtl8139", modules: &["mii", "8139cp"] },
    Device { model: "virtio-net", modules: &["failover", "net_failover", "virtio_net"] },
    Device { model: "vmxnet3", modules: &["vmxnet3"] },
];

/// What is done, and how often: by Linux's driver more often, since it takes less, and time is told in steps of 10 ms.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// As the program `cost` calls it.
    pub name: &'static str,
    /// What is counted.
    pub unit: &'static str,
    ours: u32,
    linux: u32,
}

/// Raw frames, to the test bed's peer and from it.
const FRAMES: [Case; 4] = [
    Case { name: "send-60", unit: "frame", ours: 10_000, linux: 40_000 },
    Case { name: "send-1514", unit: "frame", ours: 10_000, linux: 40_000 },
    Case { name: "receive-60", unit: "frame", ours: 10_000, linux: 40_000 },
    Case { name: "receive-1514", unit: "frame", ours: 10_000, linux: 40_000 },
];

/// TCP, through netd and through Linux's stack, with a server on the host.
const BYTES: [Case; 2] = [
    Case { name: "tcp-receive", unit: "byte", ours: 10_000_000, linux: 100_000_000 },
    Case { name: "tcp-send", unit: "byte", ours: 10_000_000, linux: 100_000_000 },
];

/// How long one boot's script may take, in seconds.
const LIMIT: u64 = 300;

/// What one unit of a case took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Units in a second.
    pub rate: f64,
    /// Instructions of the whole guest.
    pub instructions: f64,
}

/// A case by both.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What was done.
    pub case: Case,
    /// By our driver, and netd for bytes.
    pub ours: Cost,
    /// By Linux's driver, and its stack for bytes.
    pub linux: Cost,
}

/// The models that there are drivers for on both sides, as far as a QEMU here has them.
pub fn models() -> impl Iterator<Item = &'static str> {
    let has_all = qemu::has_newer_devices();
    DEVICES.iter().map(|device| device.model).filter(move |model| has_all || *model != "igb")
}

/// Measures over two devices of this model: once against the clock, once counting instructions.
pub fn measure(model: &str) -> Result<Vec<Row>> {
    let device = DEVICES.iter().find(|device| device.model == model);
    let device = device.ok_or_else(|| refused(model))?;
    let (timed, counted) = (boot(device, false)?, boot(device, true)?);
    let costs: Vec<_> =
        timed.iter().zip(&counted).map(|(timed, counted)| Cost::of(*timed, *counted)).collect();
    let cases = || FRAMES.iter().chain(&BYTES);
    let (ours, linux) = costs.split_at(cases().count());
    let rows = cases().zip(ours.iter().zip(linux));
    Ok(rows.map(|(case, (ours, linux))| Row { case: *case, ours: *ours, linux: *linux }).collect())
}

fn refused(model: &str) -> Error {
    let known = DEVICES.map(|device| device.model).join(", ");
    Error::Missing(format!("the benchmark knows no driver of Linux's for {model}; it measures {known}"))
}

impl Cost {
    fn of(timed: Said, counted: Said) -> Self {
        Self {
            rate: timed.units / (timed.passed / 1e9),
            instructions: counted.busy / INSTRUCTION / counted.units,
        }
    }
}

/// What all cases took, by ours and then by Linux'.
fn boot(device: &Device, counts: bool) -> Result<Vec<Said>> {
    let peer = Peer::new()?;
    let nics = [Nic::user(device.model), peer.nic(device.model)];
    let places = slots(&nics).map(|slot| format!("{slot:02x}.0")).collect::<Vec<_>>();
    let _supply = Supply::start(peer);
    let failed = |error| Error::Peer(format!("cannot serve the guest: {error}"));
    let port = server::stream().map_err(failed)?.port();
    let guest = nics.into_iter().fold(Guest::default(), Guest::nic);
    let guest = guest.without_netd().kept_modules(device.modules).counts_instructions(counts).limit(LIMIT);
    let finished = guest.run(&script(port, &places))?;
    let amounts = FRAMES.map(|case| case.ours).into_iter().chain(BYTES.map(|case| case.ours));
    let amounts = amounts.chain(FRAMES.map(|case| case.linux)).chain(BYTES.map(|case| case.linux));
    understand(finished.success()?, amounts)
}

/// All cases with our drivers, and then, with the devices in these places handed over, with Linux's.
fn script(port: u16, places: &[String]) -> String {
    let bytes = |case: &Case, amount, by| {
        format!("cost stack {by} 10.0.2.2:{port} 10.0.2.2:{port} {} {amount} 0 || exit\n", case.name)
    };
    let frames = |case: &Case, amount, way: &str| format!("cost nic {way} {} {amount} || exit\n", case.name);
    let mut script = String::new();
    let second =
        places.last().map(|place| format!("frame /scheme/network.*-{place}_*/frame")).unwrap_or_default();
    script.extend(FRAMES.iter().map(|case| frames(case, case.ours, &second)));
    script += NETD;
    script.extend(BYTES.iter().map(|case| bytes(case, case.ours, "")));
    script += &format!("devices='{}'\n", places.join(" "));
    script += HAND_OVER;
    script.extend(FRAMES.iter().map(|case| frames(case, case.linux, "packet eth1")));
    script.extend(BYTES.iter().map(|case| bytes(case, case.linux, "--linux")));
    script
}

/// netd, and its address.
const NETD: &str = "
    netd >/var/log/netd.log 2>&1 &
    until grep -q bound /scheme/netcfg/ifaces/eth0/dhcp/state 2>/dev/null; do usleep 50000; done
";

/// Ends what is ours and gives Linux the `devices`; waits until both have a link. By the second one Linux sends nothing by
/// itself, so that what it has sent can be counted.
const HAND_OVER: &str = "
    killall netd
    for driver in /usr/lib/drivers/*; do
        killall ${driver##*/} 2>/dev/null
        while pidof ${driver##*/} >/dev/null; do usleep 50000; done
    done
    for device in $devices; do
        cd /sys/bus/pci/devices/0000:00:$device
        [ ! -e driver ] || echo 0000:00:$device >driver/unbind
        echo >driver_override
    done
    for module in /lib/kept/*; do insmod $module || exit; done
    for device in $devices; do
        [ -e /sys/bus/pci/devices/0000:00:$device/driver ] || echo 0000:00:$device >/sys/bus/pci/drivers_probe
    done
    echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6
    ip address add 10.0.2.15/24 dev eth0
    for interface in eth0 eth1; do
        ip link set $interface up
        until [ \"$(cat /sys/class/net/$interface/carrier)\" = 1 ]; do usleep 50000; done
    done
";

/// What the program says of one case: how often, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Said {
    units: f64,
    passed: f64,
    busy: f64,
}

/// The program's lines, `WHAT NUMBER`, of cases of which so much was done unless it says otherwise.
fn understand(said: &str, amounts: impl Iterator<Item = u32>) -> Result<Vec<Said>> {
    let unknown = || Error::Guest(format!("the measuring program said: {said}"));
    let numbers = said.lines().map(|line| {
        let (name, number) = line.split_once(' ')?;
        Some((name, number.parse::<f64>().ok()?))
    });
    let numbers = numbers.collect::<Option<Vec<_>>>().ok_or_else(unknown)?;
    let cases = numbers.chunk_by(|(name, _), _| *name != "drivers");
    let said: Vec<_> = cases
        .zip(amounts)
        .map(|(case, amount)| {
            let number = |wanted| case.iter().find(|(name, _)| *name == wanted).map(|(_, number)| *number);
            let units = number("frames").unwrap_or(amount.into());
            Some(Said { units, passed: number("passed")?, busy: number("busy")? })
        })
        .collect::<Option<_>>()
        .ok_or_else(unknown)?;
    if said.len() == 2 * (FRAMES.len() + BYTES.len()) { Ok(said) } else { Err(unknown()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "frames 100\npassed 500000000\nbusy 400000000\nnetd 0\ndrivers 20000000\n";

    #[test]
    fn a_rate_is_by_the_clock_and_instructions_are_time_that_the_processor_was_busy() {
        let said = understand(&ONE.repeat(12), std::iter::repeat(50)).unwrap();
        assert_eq!(said.len(), 12);
        assert_eq!(Cost::of(said[0], said[1]), Cost { rate: 200.0, instructions: 2e6 });
        let of_bytes = ONE.replace("frames", "memory").repeat(12);
        assert_eq!(understand(&of_bytes, std::iter::repeat(50)).unwrap()[0].units, 50.0);
    }

    #[test]
    fn a_device_that_cannot_be_measured_is_refused_with_the_reason() {
        assert!(measure("ne2000").unwrap_err().to_string().contains("vmxnet3"));
    }

    #[test]
    fn what_is_no_measurement_is_an_error() {
        for said in ["", ONE, "frames 100\npassed x\n"] {
            assert!(understand(said, std::iter::repeat(1)).is_err(), "{said}");
        }
    }
}
