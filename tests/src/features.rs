//! What each driver claims to do: the files `drivers/<driver>/features.toml`, the rows that they fill, and the matrix
//! of them in README.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::{Context, Error, Result};

/// Where the matrix stands in README.
const BEGIN: &str = "<!-- The matrix of features begins; `./x features` writes it. -->\n";
const END: &str = "<!-- The matrix of features ends. -->\n";

/// A facility that a driver can have.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name in `features.toml`.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The story of the guest tests that proves it, on each device of the driver. Nothing proves what no driver does.
    pub story: Option<&'static str>,
    /// The test of drivers/nic/tests/card that proves it on the model of a device that QEMU does not have.
    pub model: Option<&'static str>,
}

const fn row(name: &'static str, what: &'static str, story: Option<&'static str>) -> Row {
    Row { name, what, story, model: None }
}

impl Row {
    const fn on_model(mut self, test: &'static str) -> Self {
        self.model = Some(test);
        self
    }
}

/// The stories by which rows are proven.
const LENGTHS: Option<&str> = Some("lengths::frames_of_every_length_come_and_go");
const FLOOD_IN: Option<&str> = Some("flood::a_flood_in_arrives_in_order_or_is_counted");
const FLOOD_OUT: Option<&str> = Some("flood::a_flood_out_leaves_in_order_or_is_counted");
const SETTINGS: Option<&str> = Some("facilities::settings_take_effect_at_once");
const STARTS: Option<&str> = Some("facilities::it_starts_and_stops_under_traffic");
const CONTROL: Option<&str> = Some("control::files_that_control_the_device_do_what_they_say");
const CHECKSUMS: Option<&str> = Some("offloads::checksums_are_the_devices_work");
const SEGMENTS: Option<&str> = Some("offloads::segments_are_the_devices_work");
const LARGE_FILES: Option<&str> = Some("lease::large_files_come_and_go_whole");

/// All of them, in the order of the matrix.
pub const ROWS: &[Row] = &[
    row(
        "open-stop",
        "interrupt claimed at the first open, given back at the last close; 500 times under traffic",
        STARTS,
    )
    .on_model("life::it_can_be_started_many_times_and_goes_on_counting"),
    row("transmit", "frames of every length out, byte for byte", LENGTHS)
        .on_model("frames::frames_of_all_lengths_leave_byte_for_byte"),
    row("back-pressure", "a full ring holds the writer back; completion without spinning", FLOOD_OUT)
        .on_model("frames::a_full_queue_holds_the_writer_back_until_half_of_it_is_free"),
    row("receive", "frames in by interrupt and by budgeted polling, in order, losses counted", FLOOD_IN)
        .on_model("frames::the_rings_wrap_over_thousands_of_frames_and_memory_stays"),
    row("statistics", "standard names, the device's own counters", FLOOD_IN)
        .on_model("life::it_can_be_started_many_times_and_goes_on_counting"),
    row("tcp", "50 MB each way through netd while the MTU changes, by each kind of interrupt", LARGE_FILES),
    row("link", "state, with changes told", SETTINGS)
        .on_model("life::link_changes_are_edges_for_those_who_have_read_it"),
    row("address", "read and set, programmed into the filter", SETTINGS)
        .on_model("filters::with_another_address_its_frames_pass_and_those_to_the_former_do_not"),
    row("receive-mode", "promiscuous, all groups, groups of a list", SETTINGS)
        .on_model("filters::promiscuous_means_all_and_allmulti_means_all_groups"),
    row("mtu", "set within the device's limits", SETTINGS)
        .on_model("nodes::the_mtu_changes_at_once_and_only_to_what_the_device_can"),
    row("jumbo", "an MTU of 9000, frames of every length", LENGTHS)
        .on_model("jumbo::jumbo_frames_are_chains_of_buffers"),
    row("registers", "register dump", SETTINGS)
        .on_model("nodes::registers_are_told_by_their_names_whether_the_device_runs_or_not"),
    row("forced-media", "speed and duplex set by hand", CONTROL).on_model(
        "media::what_is_forced_is_the_links_at_once_and_after_a_restart_until_it_is_negotiated_again",
    ),
    row("coalesce", "interrupt moderation that can be set, fixed or following the traffic", CONTROL)
        .on_model("coalesce::an_interval_that_is_written_is_the_devices_at_once_and_after_a_reset"),
    row("ring-sizes", "ring sizes that can be set while frames pass", CONTROL)
        .on_model("rings::what_was_accepted_before_a_change_of_the_rings_is_sent_and_what_came_is_read"),
    row("rx-checksum", "checksums verified by the device, and used", CHECKSUMS)
        .on_model("checksums::readers_are_told_of_checksums_that_are_good"),
    row("tx-checksum", "checksums inserted by the device", CHECKSUMS)
        .on_model("checksums::checksums_that_are_left_out_are_filled_in_by_the_device_or_the_driver"),
    row("tso", "TCP segmentation by the device", SEGMENTS)
        .on_model("segments::a_segment_whose_checksum_is_zero_is_right"),
    row("lro", "received segments joined", None)
        .on_model("joined::they_are_read_whole_behind_a_header_and_as_segments_without"),
    row("vlan", "VLANs: tags inserted, stripped and filtered by the device, as far as it can", CONTROL)
        .on_model("vlan::tags_that_are_told_are_put_in_by_the_device_or_the_driver"),
    row("queues", "several receive queues, each with counters, and with a vector by MSI-X", CONTROL)
        .on_model("queues::flows_are_spread_over_all_queues_or_go_to_those_of_the_table"),
    row("rss", "received frames spread by a hash, whose key and table can be set", CONTROL)
        .on_model("queues::another_key_spreads_otherwise"),
    row(
        "power-down",
        "a device that nobody has open is powered down (D3hot), and is back at the next open",
        CONTROL,
    )
    .on_model("power::a_device_that_nobody_uses_is_powered_down_and_comes_back_at_the_next_open"),
    row("wake-on-lan", "magic packet, armed by file while the device is stopped", None)
        .on_model("wake::a_stopped_device_wakes_the_machine_for_a_magic_packet_if_it_is_armed"),
    row("eeprom", "EEPROM or flash dump", CONTROL)
        .on_model("eeprom::the_words_of_the_eeprom_are_told_in_their_order"),
    row("self-test", "registers, and frames by the internal loopback, compared byte for byte", CONTROL)
        .on_model("selftest::frames_come_back_whole_and_others_pass_afterwards"),
    row("identify", "identify LED", CONTROL)
        .on_model("identify::leds_blink_for_as_long_as_they_are_asked_to"),
    row("capture", "both directions as pcapng, by the driver", CONTROL)
        .on_model("capture::frames_of_both_directions_are_captured_from_the_open_on"),
];

/// A driver's `features.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The guest tests' names of its devices. There are none that QEMU does not have.
    pub devices: BTreeSet<String>,
    /// Rows that it does.
    pub yes: BTreeSet<String>,
    /// Rows that it does on a device that is made for them, and the test that shows it.
    #[serde(default)]
    pub special: BTreeMap<String, String>,
    /// Rows that it does on the model of its device, where there is no device to show that it does them, or QEMU's does not.
    #[serde(default)]
    pub model: BTreeSet<String>,
    /// Rows that it does not, and why.
    #[serde(default)]
    pub no: BTreeMap<String, String>,
    /// Rows that its devices have nothing for, and why.
    pub absent: BTreeMap<String, String>,
}

impl Claims {
    /// Whether the driver claims to do this, on all of its devices.
    pub fn does(&self, row: &str) -> bool {
        self.yes.contains(row)
    }

    /// What the matrix shows.
    fn cell(&self, row: &str) -> &'static str {
        if self.does(row) || self.special.contains_key(row) {
            "yes"
        } else if self.model.contains(row) {
            "model"
        } else if self.absent.contains_key(row) {
            "-"
        } else {
            "no"
        }
    }
}

/// Every driver's claims, by the driver's folder.
pub fn all() -> Result<BTreeMap<String, Claims>> {
    let drivers = crate::workspace().join("drivers");
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(&drivers).context("list", &drivers)? {
        let folder = entry.context("list", &drivers)?.path();
        let file = folder.join("features.toml");
        // What is no driver has no such file; that every driver has one the test of the claims sees to.
        let (Some(name), true) = (folder.file_name(), file.exists()) else { continue };
        all.insert(name.to_string_lossy().into_owned(), read(&file)?);
    }
    Ok(all)
}

/// The claims of the driver of `device`, as the guest tests name it.
pub fn of_device(device: &str) -> Result<Claims> {
    let found = all()?.into_values().find(|claims| claims.devices.contains(device));
    found.ok_or_else(|| Error::Guest(format!("no driver's features.toml lists the device {device}")))
}

fn read(file: &Path) -> Result<Claims> {
    let text = fs::read_to_string(file).context("read", file)?;
    let claims: Claims = toml::from_str(&text).map_err(std::io::Error::other).context("understand", file)?;
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
    let mut said = BTreeSet::new();
    let reasoned = [&claims.special, &claims.no, &claims.absent].into_iter().flat_map(BTreeMap::keys);
    for row in claims.yes.iter().chain(&claims.model).chain(reasoned) {
        let wrong = if !rows.contains(row.as_str()) {
            "is no row of tests/src/features.rs"
        } else if !said.insert(row.as_str()) {
            "is said twice"
        } else {
            continue;
        };
        return Err(std::io::Error::other(format!("`{row}` {wrong}"))).context("understand", file);
    }
    match rows.difference(&said).next() {
        Some(missing) => {
            Err(std::io::Error::other(format!("nothing is said of `{missing}`"))).context("understand", file)
        }
        None => Ok(claims),
    }
}

/// README with the matrix of `all` in its place.
///
/// # Errors
/// README has no place for it.
pub fn with_matrix(readme: &str, all: &BTreeMap<String, Claims>) -> Result<String> {
    let place = readme.find(BEGIN).map(|at| at + BEGIN.len()).zip(readme.find(END));
    let Some((begin, end)) = place.filter(|(begin, end)| begin <= end) else {
        return Err(Error::Guest("README has no place for the matrix of features".to_owned()));
    };
    Ok(format!("{}\n{}\n{}", &readme[..begin], matrix(all), &readme[end..]))
}

fn matrix(all: &BTreeMap<String, Claims>) -> String {
    let mut text = String::from("| |");
    for driver in all.keys() {
        // Writing to a string does not fail.
        let _ = write!(text, " {driver} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(all.len()));
    for row in ROWS {
        let _ = write!(text, "\n| {}: {} |", row.name, row.what);
        for claims in all.values() {
            let _ = write!(text, " {} |", claims.cell(row.name));
        }
    }
    text.push('\n');
    text
}
