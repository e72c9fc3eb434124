//! Requests that nobody should make.

use config::netd::Config;
use proptest::prelude::*;
use scheme::flag::{O_RDWR, O_STAT, O_WRONLY};

use super::*;
use crate::schemes::icmp::Icmp;
use crate::schemes::ip::Ip;
use crate::schemes::netcfg::Netcfg;
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;

/// Words that schemes know, and others.
fn path() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("127.0.0.1:80".to_owned()),
        Just("0.0.0.0:0".to_owned()),
        Just("listen".to_owned()),
        Just("disconnect".to_owned()),
        Just("read_timeout".to_owned()),
        Just("echo/127.0.0.1".to_owned()),
        Just("ifaces/eth0/addr/set".to_owned()),
        Just("resolv/nameserver".to_owned()),
        Just("fd".to_owned()),
        ".{0,12}",
    ];
    (proptest::collection::vec(word, 0..3), any::<bool>())
        .prop_map(|(words, slash)| format!("{}{}", if slash { "/" } else { "" }, words.join("/")))
}

/// One request: which handle, which kind, a path, some bytes, some numbers.
type Step = (usize, u8, String, Vec<u8>, Vec<u64>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..80);
    let numbers = proptest::collection::vec(0_u64..12, 0..4);
    proptest::collection::vec((0_usize..12, 0_u8..10, path(), bytes, numbers), 0..40)
}

/// Whatever is asked in whatever order, there is an answer.
fn survive<S: SchemeSync>(mut rig: Rig<S>, steps: &[Step]) {
    for (id, kind, path, bytes, numbers) in steps {
        let _ = match kind {
            0 => rig.open(path),
            1 => rig.open_nonblocking(path),
            2 => rig.open_with(path, if id % 2 == 0 { O_STAT } else { O_WRONLY }),
            3 => rig.dup(*id, path),
            4 => rig.read(*id, bytes.len()).map(|read| read.len()),
            5 => rig.write(*id, bytes),
            6 => rig.call(*id, &mut bytes.clone(), numbers),
            7 => rig.scheme.fpath(*id, &mut bytes.clone(), &caller(0)).map_err(|error| error.errno),
            8 => rig.scheme.fsync(*id, &caller(0)).map(|()| 0).map_err(|error| error.errno),
            // The root alone is never closed.
            _ if *id == 0 => Ok(0),
            _ => {
                rig.close(*id);
                Ok(0)
            }
        };
        rig.settle();
    }
    assert!(rig.open_with("", O_RDWR | O_STAT).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_request_is_the_end(steps in steps()) {
        survive(rig::<Tcp>(&host()), &steps);
        survive(rig::<Udp>(&host()), &steps);
        survive(rig::<Icmp>(&host()), &steps);
        survive(rig::<Ip>(&host()), &steps);
        let stack = host();
        stack.borrow_mut().network.add_ethernet("eth0");
        survive(Rig::new(Netcfg::new(stack.clone(), Notifier::default(), Config::default(), 0), &stack), &steps);
    }
}
