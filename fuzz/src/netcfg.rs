//! Requests to the scheme `netcfg`, from clients that die in the middle, while a driver comes, answers and goes.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use config::netd::{Config, Panel, parse};
use netd::schemes::netcfg::Netcfg;
use netd::schemes::socket_scheme::SharedStack;
use netd::stack::{Instant, InterfaceId, Random, Stack};
use scheme::flag::{O_DIRECTORY, O_RDONLY, O_RDWR, O_STAT, O_WRONLY};
use scheme::{EventFlags, Notifier, OpenResult, SchemeSync, Stat};
use smoltcp::time::Duration;

use crate::input::Input;
use crate::requests::{caller, one_of};
use crate::wire::{self, MTU, OWN_MAC};

/// More requests than this tell nothing new.
const MOST_REQUESTS: usize = 200;
/// Handles that a client holds at most.
const MOST_HANDLES: usize = 16;
/// Who asks at the same time.
const CLIENTS: usize = 3;

/// Files, and what is none.
const PATHS: [&str; 32] = [
    "",
    "ifaces",
    "ifaces/eth0",
    "ifaces/eth0/addr/list",
    "ifaces/eth0/addr/set",
    "ifaces/eth0/addr/add",
    "ifaces/eth0/addr/rm",
    "ifaces/eth0/state",
    "ifaces/eth0/mac",
    "ifaces/eth0/mtu",
    "ifaces/eth0/metric",
    "ifaces/eth0/vlan",
    "ifaces/eth0/dhcp/set",
    "ifaces/eth0/neigh",
    "ifaces/eth0/coalesce",
    "ifaces/eth0/stats",
    "ifaces/eth0/pcap",
    "ifaces/eth0.10/addr/add",
    "ifaces/eth0.10/state",
    "ifaces/lo/addr/set",
    "route/list",
    "route/add",
    "route/rm",
    "resolv/nameserver",
    "resolv/nameservers",
    "resolv/search",
    "sockets",
    "events",
    "config/running",
    "config/apply",
    "config/try",
    "config/confirm",
];

/// Lines that some file takes.
const LINES: [&str; 32] = [
    "up",
    "down",
    "on",
    "off",
    "renew",
    "none",
    "default",
    "add 10",
    "rm 10",
    "add 4094",
    "60",
    "1400",
    "9000",
    "10.0.0.1/24",
    "10.0.0.2/31",
    "fd00::1/64",
    "fe80::1/64",
    "default via 10.0.0.2",
    "default via 10.0.0.9 dev eth0 metric 5",
    "10.7.0.0/16 dev eth0",
    "::/0 via fe80::2 dev eth0",
    "9.9.9.9 fd00::53",
    "home.arpa example.org",
    "02:00:00:00:00:07",
    "rx-usecs 50",
    "tcp port 80 or not icmp",
    "dns = [\"9.9.9.9\"]",
    "[[interface]]",
    "match.name = \"eth*\"",
    "addresses = [\"10.0.0.7/24\"]",
    "vlan = [10, 20]",
    "name = \"wan\"",
];

/// Makes the requests that `data` describes, lets all clients die, and looks whether what is wanted can be said.
pub fn run(data: &[u8]) {
    let mut bed = Bed::new();
    let mut input = Input::new(data);
    for _ in 0..MOST_REQUESTS {
        if input.is_empty() {
            break;
        }
        bed.ask(&mut input);
        let time = u64::from(input.u8());
        bed.pass(Duration::from_millis(time * time));
    }
    bed.end();
}

struct Bed {
    stack: SharedStack,
    eth0: InterfaceId,
    netcfg: Netcfg,
    root: usize,
    handles: [Vec<usize>; CLIENTS],
}

impl Bed {
    fn new() -> Self {
        let stack = Rc::new(RefCell::new(Stack::new(Random::new([1, 2]), Instant::from_secs(1000))));
        let eth0 = stack.borrow_mut().network.add_ethernet("eth0");
        let mut netcfg = Netcfg::new(stack.clone(), Notifier::default(), Config::default(), 0);
        let root = netcfg.scheme_root().expect("there is a root");
        Self { stack, eth0, netcfg, root, handles: Default::default() }
    }

    /// Somebody asks something, or the driver does.
    fn ask(&mut self, input: &mut Input<'_>) {
        let (client, kind, which) = (usize::from(input.u8()) % CLIENTS, input.u8() % 10, input.u8());
        let ctx = caller(if client == 2 { 1000 } else { 0 });
        let chosen = usize::from(which) % self.handles[client].len().max(1);
        // Now and then it is a handle that nobody has.
        let id = self.handles[client].get(chosen).copied().unwrap_or(usize::from(which));
        match kind {
            0 | 1 => {
                let flags = [O_RDWR, O_WRONLY, O_RDONLY, O_STAT, O_DIRECTORY][usize::from(which) % 5];
                let opened = self.netcfg.openat(self.root, &one_of(&PATHS, 4, input), flags, 0, &ctx);
                if let Ok(OpenResult::ThisScheme { number, .. }) = opened {
                    match self.handles[client].len() < MOST_HANDLES {
                        true => self.handles[client].push(number),
                        false => self.netcfg.on_close(number),
                    }
                }
            }
            2..=4 => {
                let line = format!("{}\n", one_of(&LINES, 4, input));
                let _ = self.netcfg.write(id, line.as_bytes(), 0, 0, &ctx);
            }
            5 => drop(self.netcfg.fsync(id, &ctx)),
            6 => {
                let mut buffer = vec![0; usize::from(input.u16())];
                let _ = self.netcfg.read(id, &mut buffer, input.u16().into(), 0, &ctx);
            }
            7 => {
                let _ = self.netcfg.fevent(id, EventFlags::all(), &ctx);
                let _ = self.netcfg.fpath(id, &mut [0; 256], &ctx);
                let _ = self.netcfg.fstat(id, &mut Stat::default(), &ctx);
            }
            8 if chosen < self.handles[client].len() => {
                self.netcfg.on_close(self.handles[client].swap_remove(chosen));
            }
            8 => self.handles[client].drain(..).for_each(|id| self.netcfg.on_close(id)),
            _ => self.drive(which),
        }
    }

    /// The driver comes, answers, loses its link, or goes.
    fn drive(&mut self, which: u8) {
        let mut stack = self.stack.borrow_mut();
        match which % 4 {
            0 => {
                stack.link_up(self.eth0, OWN_MAC, MTU);
                let Some(interface) = stack.network.interface_mut(self.eth0) else { return };
                interface.driver = Some("network.fuzzed".to_owned());
                interface.panels.texts.insert(Panel::Coalesce, "rx-usecs 10\n".to_owned());
            }
            1 => stack.link_down(self.eth0),
            2 => {
                let Some(interface) = stack.network.interface_mut(self.eth0) else { return };
                interface.driver = None;
                interface.panels = Default::default();
            }
            _ => {
                let Some(interface) = stack.network.interface_mut(self.eth0) else { return };
                interface.panels.told = interface.wanted.version;
                let refused = interface.wanted.settings.keys().filter(|_| which >= 128);
                interface.panels.refused = refused.map(|name| (name.clone(), "no".to_owned())).collect();
            }
        }
        stack.revision += 1;
    }

    /// Lets time pass as netd does.
    fn pass(&mut self, time: Duration) {
        let mut stack = self.stack.borrow_mut();
        let mut now = stack.network.now;
        wire::pass(&mut stack, self.eth0, &mut now, time, |_| ());
        stack.network.now = now;
        drop(stack);
        self.netcfg.follow();
        self.netcfg.post_changes();
    }

    fn end(mut self) {
        for id in std::mem::take(&mut self.handles).into_iter().flatten() {
            self.netcfg.on_close(id);
        }
        self.pass(Duration::from_secs(2 * 60 * 60));
        assert_eq!(self.read("config/confirm"), "none\n", "nothing is on trial for so long");
        let running = self.read("config/running");
        let again = parse(Path::new("running.toml"), &running).expect("what runs can be read again");
        assert_eq!(again.to_string(), running);
        let stack = self.stack.borrow();
        let mut interfaces = stack.network.interfaces();
        assert!(interfaces.all(|own| own.captures.is_empty()), "nobody is left to look on");
    }

    /// All of a file.
    fn read(&mut self, path: &str) -> String {
        let ctx = caller(0);
        let Ok(OpenResult::ThisScheme { number, .. }) =
            self.netcfg.openat(self.root, path, O_RDONLY, 0, &ctx)
        else {
            panic!("{path} can be opened")
        };
        let mut text = vec![0; 1 << 20];
        let length = self.netcfg.read(number, &mut text, 0, 0, &ctx).expect("it can be read");
        text.truncate(length);
        String::from_utf8(text).expect("it is text")
    }
}
