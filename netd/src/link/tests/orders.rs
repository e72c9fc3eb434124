//! What drivers are told: addresses, filters, settings.

use config::netd::{Panel, Setting};
use smoltcp::wire::EthernetAddress;

use super::*;

#[test]
fn a_driver_is_told_what_is_wanted_and_its_successor_before_frames_move() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!(bed.interface().mtu_limits(), 576..=9000);
    let told = |node: &str| fs::read_to_string(directory.join(node)).unwrap();
    assert_eq!(told("address"), "", "nothing is wanted");
    bed.stack.set_ethernet_address(1, Some(EthernetAddress([2, 0, 0, 0, 0, 7])));
    bed.stack.set_mtu(1, Some(1300));
    bed.stack.network.interface_mut(1).unwrap().wanted.promiscuous = true;
    let is_promiscuous = || told("filter").starts_with("promisc on\nallmulti off\n");
    bed.turn_until(|_| is_promiscuous());
    assert_eq!(bed.interface().mtu(), 1300);
    let all = ("02:00:00:00:00:07\n".to_owned(), "1300\n".to_owned(), true);
    assert_eq!((told("address"), told("mtu"), is_promiscuous()), all);
    assert_eq!(bed.interface().ethernet_address().map(|mac| mac.0), Some(MAC), "what the driver says counts");

    for (node, text) in [("address", ""), ("mtu", "1400\n"), ("filter", "")] {
        fs::write(directory.join(node), text).unwrap();
    }
    bed.give_up("it died");
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!((told("address"), told("mtu"), is_promiscuous()), all);
    bed.stack.set_ethernet_address(1, None);
    bed.stack.set_mtu(1, None);
    bed.turn_until(|bed| bed.interface().mtu() == 1400);
    assert!(told("address").starts_with("own\n"));
}

#[test]
fn a_driver_is_told_of_settings_that_are_not_so_already() {
    const ON: Option<Setting> = Some(Setting::Switch(true));
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let features = directory.join("features");
    fs::write(&features, "tso off\nrx-checksum on\n").unwrap();
    bed.stack.set_setting(1, Panel::Features, "rx-checksum", ON);
    bed.stack.set_setting(1, Panel::Features, "tso", ON);
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", Some(Setting::Number(50)));
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    // A plain file keeps what is written at its beginning; a driver would take the line.
    assert_eq!(fs::read_to_string(&features).unwrap(), "tso on\n\nrx-checksum on\n");
    let panels = &bed.interface().panels;
    assert_eq!(panels.texts[&Panel::Features], "tso on\n\nrx-checksum on\n");
    assert_eq!(panels.told, 3);
    let refused: Vec<_> = panels.refused.keys().map(|(panel, name)| (*panel, name.as_str())).collect();
    assert_eq!(refused, [(Panel::Coalesce, "rx-usecs")], "there is no such file");
}

#[test]
fn a_setting_that_is_not_wanted_any_more_is_the_driver_s_own_again() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    fs::write(directory.join("coalesce"), "rx-usecs 50\n").unwrap();
    let _driver = serve(&directory);
    let says = |bed: &Bed, text: &str| {
        bed.interface().panels.texts.get(&Panel::Coalesce).is_some_and(|own| own == text)
    };
    bed.turn_until(|bed| says(bed, "rx-usecs 50\n"));
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", Some(Setting::Number(20)));
    bed.turn_until(|bed| says(bed, "rx-usecs 20\n"));
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", None);
    bed.turn_until(|bed| says(bed, "rx-usecs 50\n"));
    bed.give_up("it died");
    assert!(bed.interface().panels.texts.is_empty());
}

#[test]
fn a_driver_is_told_which_groups_to_let_through_and_its_successor_too() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    let filter = directory.join("filter");
    let told = || fs::read_to_string(&filter).unwrap().contains("+multicast 33:33:ff:12:34:56\n");
    bed.turn_until(|_| told());
    fs::write(&filter, "").unwrap();
    bed.give_up("it died");
    bed.turn_until(|_| told());
}

#[test]
fn a_driver_is_told_which_vlans_to_let_through() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    let filter = directory.join("filter");
    let told = |text: &str| fs::read_to_string(&filter).unwrap().contains(text);
    bed.turn_until(|_| told("+multicast"));
    fs::write(&filter, "").unwrap();
    bed.stack.add_vlan(1, 10);
    bed.turn_until(|_| told("+vlan 10\n"));
    bed.stack.remove_vlan(1, 10);
    bed.turn_until(|_| told("-vlan 10\n"));
}
