//! The device tests itself, tells what its EEPROM holds, and lets its LEDs blink.

use std::collections::BTreeMap;

use testbed::features::Claims;

use crate::MAC;

/// A device that has no such file says so in `features`, and nothing is asked of it.
pub const SCRIPT: &str = r#"
    for node in selftest eeprom identify; do tell $node grep $node features; done
    if grep -q 'selftest on' features; then
        # At once after a change, too, while QEMU's e1000 receives nothing.
        for mode in on off; do
            echo promisc $mode >filter
            echo run >selftest; tell tested_$mode cat selftest
            until grep -q 'state up' link; do usleep 10000; done
        done
    fi
    if grep -q 'eeprom on' features; then tell bytes od -An -v -tx1 eeprom; fi
    if grep -q 'identify on' features; then
        leds() { sed -n 's/^LEDCTL //p' registers; }
        tell leds leds
        echo 1 >identify; tell blinking leds
        until [ $(cat identify) = 0 ]; do usleep 50000; done
        tell quiet leds
    fi
"#;

pub fn check(claims: &Claims, said: &BTreeMap<&str, &str>) {
    for (row, node) in [("self-test", "selftest"), ("eeprom", "eeprom"), ("identify", "identify")] {
        let word = if claims.does(row) { "on" } else { "unsupported" };
        assert_eq!(said[node], format!("{node} {word}"));
    }
    if claims.does("self-test") {
        for said in [said["tested_on"], said["tested_off"]] {
            assert_eq!(said, "registers pass loopback pass 32/32 link pass");
        }
    }
    if claims.does("eeprom") {
        holds_the_address(said["bytes"]);
    }
    if claims.does("identify") {
        assert_eq!((said["blinking"], said["quiet"]), ("0x8e8e8e8e", said["leds"]));
    }
}

/// Intel's begin with the address, and the sum of their words is 0xbaba (8254x SDM, chapter 5). Realtek's have it in words
/// 7 to 9.
fn holds_the_address(digits: &str) {
    let bytes: Vec<_> = digits.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    let words = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let is_intels = bytes.starts_with(&MAC) && words.fold(0, u16::wrapping_add) == 0xbaba;
    assert!(bytes.len() == 128 && (is_intels || bytes[14..20] == MAC), "{digits}");
}
