//! Speed and duplex are told to the device instead of being negotiated, and the link has them.

use std::collections::BTreeMap;

use testbed::features::Claims;

/// A device that cannot be told says so in `features`, and is not told.
pub const SCRIPT: &str = r#"
    tell media grep media features
    if grep -q 'media on' features; then
        tell negotiated-link cat link
        printf 'autoneg off\nspeed 100\nfull-duplex off\n' >media
        tell forced cat media
        tell forced-link cat link
        tell gigabit sh -c 'echo speed 1000 >media'
        echo autoneg on >media
        until grep -q 'state up' link; do usleep 10000; done
        tell again-link cat link
    fi
"#;

pub fn check(claims: &Claims, said: &BTreeMap<&str, &str>) {
    let is_shown = claims.does("forced-media");
    let has_media = is_shown || claims.model.contains("forced-media");
    assert_eq!(said["media"], if has_media { "media on" } else { "media unsupported" });
    if has_media {
        assert_eq!(said["forced"], "autoneg off speed 100 full-duplex off");
        let forced = if is_shown { "state up speed 100 duplex half" } else { said["negotiated-link"] };
        assert_eq!((said["forced-link"], said["again-link"]), (forced, said["negotiated-link"]));
        assert!(said["gigabit"].contains("Invalid argument"), "{}", said["gigabit"]);
    }
}
