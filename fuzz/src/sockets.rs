//! Requests to netd's socket schemes, from clients that die in the middle.

use std::cell::RefCell;
use std::rc::Rc;

use netd::schemes::icmp::Icmp;
use netd::schemes::ip::Ip;
use netd::schemes::socket_scheme::{Protocol, SharedStack, SocketScheme};
use netd::schemes::tcp::Tcp;
use netd::schemes::udp::Udp;
use netd::stack::{Instant, Random, Stack};
use scheme::flag::{O_NONBLOCK, O_RDWR, O_STAT};
use scheme::{EventFlags, Notifier, OpenResult, SchemeSync};
use smoltcp::time::Duration;

use crate::input::Input;
use crate::requests::{caller, one_of};

/// More requests than this tell nothing new.
const MOST_REQUESTS: usize = 300;
/// Handles that a client holds at most.
const MOST_HANDLES: usize = 32;
/// Who asks at the same time.
const CLIENTS: usize = 3;

/// Paths that some scheme knows, and beginnings of such.
const PATHS: [&str; 20] = [
    "",
    "listen",
    "disconnect",
    "read_timeout",
    "write_timeout",
    "127.0.0.1:80",
    "127.0.0.1:81",
    "/127.0.0.1:80",
    "/0.0.0.0:80",
    "/0.0.0.0:0",
    "/[::]:80",
    "[::1]:80",
    "127.0.0.1:80/127.0.0.1:4000",
    "0.0.0.0:0",
    "255.255.255.255:67",
    "192.0.2.1:80",
    "echo/127.0.0.1",
    "udp/127.0.0.1",
    "6",
    "11",
];

/// Options that some scheme knows: their numbers, and their levels, plus one.
const OPTIONS: [[u8; 2]; 41] = [
    // SOL_SOCKET
    [2, 2],
    [3, 2],
    [4, 2],
    [6, 2],
    [7, 2],
    [8, 2],
    [9, 2],
    [13, 2],
    [15, 2],
    [20, 2],
    [21, 2],
    [30, 2],
    [38, 2],
    [39, 2],
    // IPPROTO_IP
    [1, 1],
    [2, 1],
    [32, 1],
    [33, 1],
    [34, 1],
    [35, 1],
    [36, 1],
    [42, 1],
    [45, 1],
    // IPPROTO_TCP
    [1, 7],
    [2, 7],
    [4, 7],
    [5, 7],
    [6, 7],
    [18, 7],
    // IPPROTO_IPV6
    [16, 42],
    [17, 42],
    [18, 42],
    [19, 42],
    [20, 42],
    [21, 42],
    [26, 42],
    [42, 42],
    [45, 42],
    [67, 42],
    // None
    [99, 1],
    [99, 42],
];

/// Makes the requests that `data` describes, lets all clients die, and looks whether anything is left of them.
pub fn run(data: &[u8]) {
    let stack = Rc::new(RefCell::new(Stack::new(Random::new([1, 2]), Instant::from_secs(1000))));
    stack.borrow_mut().network.add_ethernet("eth0");
    let usual = groups(&stack.borrow());
    let mut input = Input::new(data);
    let mut schemes: [Box<dyn Users>; 4] = [
        Box::new(Served::<Tcp>::new(&stack)),
        Box::new(Served::<Udp>::new(&stack)),
        Box::new(Served::<Icmp>::new(&stack)),
        Box::new(Served::<Ip>::new(&stack)),
    ];
    for _ in 0..MOST_REQUESTS {
        if input.is_empty() {
            break;
        }
        let (scheme, time) = (input.u8(), input.u8());
        // TCP is asked most.
        schemes[usize::from(scheme % 8).saturating_sub(4)].ask(&mut input);
        pass(&stack, &mut schemes, Duration::from_millis(u64::from(time) * u64::from(time)));
    }
    schemes.iter_mut().for_each(|scheme| scheme.end());
    pass(&stack, &mut schemes, Duration::from_secs(2 * 60 * 60));
    let stack = stack.borrow_mut();
    assert_eq!(stack.tcp.count(), 0, "connections are left over");
    assert_eq!(stack.deadline(), None, "something is left to be done");
    assert_eq!(groups(&stack), usual, "nobody is left to be in a group");
}

/// The groups of all interfaces.
fn groups(stack: &Stack) -> Vec<std::net::IpAddr> {
    stack.network.interfaces().flat_map(|interface| interface.groups.iter()).collect()
}

/// Lets time pass, with a poll whenever the stack wants one.
fn pass(stack: &SharedStack, schemes: &mut [Box<dyn Users>], time: Duration) {
    /// Far more than timers and answers can need.
    const MOST_POLLS: usize = 10_000;
    let mut now = stack.borrow().network.now;
    let end = now + time;
    for _ in 0..MOST_POLLS {
        stack.borrow_mut().poll(now);
        schemes.iter_mut().for_each(|scheme| scheme.tell());
        let deadline = stack.borrow_mut().deadline();
        match deadline {
            Some(at) if at <= end => now = at.max(now),
            _ if now == end => return,
            _ => now = end,
        }
    }
    panic!("there is no end to what the stack has to do");
}

/// A scheme and those who use it.
trait Users {
    /// One of them asks something.
    fn ask(&mut self, input: &mut Input<'_>);
    /// They hear what has become ready.
    fn tell(&mut self);
    /// All of them die.
    fn end(&mut self);
}

struct Served<P: Protocol> {
    scheme: SocketScheme<P>,
    notifier: Notifier,
    root: usize,
    handles: [Vec<usize>; CLIENTS],
}

impl<P: Protocol> Served<P> {
    fn new(stack: &SharedStack) -> Self {
        let notifier = Notifier::default();
        let mut scheme = SocketScheme::new(stack.clone(), notifier.clone());
        let root = scheme.scheme_root().expect("there is a root");
        Self { scheme, notifier, root, handles: Default::default() }
    }

    fn keep(&mut self, client: usize, opened: scheme::Result<OpenResult>) {
        match opened {
            Ok(OpenResult::ThisScheme { number, .. }) if self.handles[client].len() < MOST_HANDLES => {
                self.handles[client].push(number);
            }
            Ok(OpenResult::ThisScheme { number, .. }) => self.scheme.on_close(number),
            // An open that waits is given up at once: the next one has the same id.
            Err(error) if error.errno == scheme::errno::EAGAIN => self.notifier.give_up(caller(0).id),
            _ => (),
        }
    }
}

impl<P: Protocol> Users for Served<P> {
    fn ask(&mut self, input: &mut Input<'_>) {
        let (client, kind, which) = (usize::from(input.u8()) % CLIENTS, input.u8() % 12, input.u8());
        let ctx = caller(if client == 0 { 0 } else { 1000 });
        let chosen = usize::from(which) % self.handles[client].len().max(1);
        // Now and then it is a handle that nobody has.
        let id = self.handles[client].get(chosen).copied().unwrap_or(usize::from(which));
        match kind {
            0 | 1 => {
                let flags = [O_RDWR, O_RDWR | O_NONBLOCK, O_STAT, 0][usize::from(which) % 4];
                let opened = self.scheme.openat(self.root, &one_of(&PATHS, 2, input), flags, 0, &ctx);
                self.keep(client, opened);
            }
            2 | 3 => {
                let made = self.scheme.dup(id, one_of(&PATHS, 2, input).as_bytes(), &ctx);
                self.keep(client, made);
            }
            4 => {
                let mut buffer = vec![0; usize::from(input.u16())];
                let _ = self.scheme.read(id, &mut buffer, 0, 0, &ctx);
            }
            5 => {
                let length = usize::from(input.u16());
                let mut bytes = input.bytes(length).to_vec();
                bytes.resize(length, 0);
                let _ = self.scheme.write(id, &bytes, 0, 0, &ctx);
            }
            6 | 7 => {
                let (verb, option, level) = (input.u8(), input.u8(), input.u8());
                let (metadata, given) = match OPTIONS.get(usize::from(option) % OPTIONS.len()) {
                    // `setsockopt` or `getsockopt`.
                    Some([option, level]) if verb >= 128 => ([2 + verb % 2, *option, *level], 3),
                    _ => ([verb % 12, option % 80, level % 44], usize::from(which) % 4),
                };
                let metadata = metadata.map(u64::from);
                let words = [0; 3].map(|_: usize| usize::from(input.u16()).to_ne_bytes());
                let length = usize::from(input.u8());
                let mut payload = [&words.concat()[..], input.bytes(length)].concat();
                payload.truncate(usize::from(input.u16()));
                let _ = self.scheme.call(id, &mut payload, &metadata[..given], &ctx);
            }
            8 => {
                let _ = self.scheme.fevent(id, EventFlags::all(), &ctx);
                let _ = self.scheme.fpath(id, &mut [0; 256], &ctx);
            }
            9 => {
                let _ = self.scheme.fcntl(id, input.u8().into(), input.u16().into(), &ctx);
            }
            10 if chosen < self.handles[client].len() => {
                self.scheme.on_close(self.handles[client].swap_remove(chosen));
            }
            _ => self.handles[client].drain(..).for_each(|id| self.scheme.on_close(id)),
        }
    }

    fn tell(&mut self) {
        self.scheme.post_changes();
        self.scheme.drop_unclaimed();
    }

    fn end(&mut self) {
        for id in self.handles.iter_mut().flat_map(|handles| handles.drain(..)) {
            self.scheme.on_close(id);
        }
    }
}
