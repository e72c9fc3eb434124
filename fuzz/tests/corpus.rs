//! Every target without a fuzzer: its corpus, so that what was once found stays mended, and a short run of inputs made
//! of it, the same each time.

use std::fs;
use std::path::Path;

use fastrand::Rng;

/// Inputs that are made of a corpus.
const MADE: u64 = 1000;
/// They are no longer than this.
const LONGEST: usize = 8192;
/// What often is a limit.
const SPECIAL: [u8; 5] = [0, 1, 0x7f, 0x80, 0xff];

type Target = fn(&[u8]);

/// The inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = fs::read_dir(directory).expect("there is a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the corpus can be listed").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there is no input for {target}");
    let read = |path| {
        println!("{}", Path::display(path));
        fs::read(path).expect("the input can be read")
    };
    paths.iter().map(|path| read(path)).collect()
}

fn replay(target: &str, run: Target) {
    corpus(target).iter().for_each(|input| run(input));
}

/// Runs inputs of the corpus that were changed, cut, and joined.
fn make_new_ones(target: &str, run: Target) {
    let corpus = corpus(target);
    for seed in 0..MADE {
        println!("seed {seed}");
        let random = &mut Rng::with_seed(seed);
        let mut input = some(random, &corpus);
        for _ in 0..random.usize(1..8) {
            change(random, &mut input, &corpus);
        }
        input.truncate(LONGEST);
        run(&input);
    }
}

fn some(random: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    random.choice(corpus).cloned().unwrap_or_default()
}

fn change(random: &mut Rng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.usize(..=input.len());
    match random.u8(..6) {
        0 => input.truncate(at),
        1 => input.extend(some(random, corpus)),
        2 => drop(input.splice(at.., some(random, corpus))),
        3 => {
            let end = random.usize(at..=input.len());
            input.drain(at..end);
        }
        4 => {
            let count = random.usize(..64);
            input.splice(at..at, std::iter::repeat_with(|| random.u8(..)).take(count));
        }
        _ => {
            let byte = if random.bool() { random.u8(..) } else { *random.choice(&SPECIAL).unwrap_or(&0) };
            input.get_mut(at).map(|place| *place = byte).unwrap_or_default();
        }
    }
}

macro_rules! targets {
    ($($module:ident: $corpus:literal),+ $(,)?) => {
        $(mod $module {
            #[test]
            fn what_was_found_stays_mended() {
                super::replay($corpus, fuzz::$module::run);
            }

            #[test]
            fn what_is_made_of_it_finds_nothing() {
                super::make_new_ones($corpus, fuzz::$module::run);
            }
        })+

        #[test]
        fn every_corpus_has_its_target() {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
            for entry in fs::read_dir(directory).expect("there are corpora") {
                let name = entry.expect("they can be listed").file_name();
                assert!([$($corpus),+].iter().any(|known| name == *known), "{name:?} is replayed by nobody");
            }
        }
    };
}

targets! {
    config: "config",
    dhcp: "dhcp",
    dns: "dns",
    drivers: "drivers",
    e1000: "e1000",
    e1000e: "e1000e",
    frames: "frames",
    fuse: "fuse",
    igb: "igb",
    ipv6: "ipv6",
    ixgbe: "ixgbe",
    netcfg: "netcfg",
    pcid: "pcid",
    rtl8139: "rtl8139",
    rtl8168: "rtl8168",
    sockets: "sockets",
    virtio_net: "virtio-net",
    virtio_net_packed: "virtio-net-packed",
    vmxnet3: "vmxnet3",
}

/// Requests in no order at all.
#[test]
fn random_requests_to_sockets() {
    for seed in 0..MADE {
        let mut bytes = vec![0; 4000];
        Rng::with_seed(seed).fill(&mut bytes);
        fuzz::sockets::run(&bytes);
    }
}
