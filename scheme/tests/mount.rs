//! A scheme on a real mount, used by real programs. Needs root and /dev/fuse; says so and passes without.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail as tests do")]

mod toy;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use scheme::client::{self, OpenOptions};
use scheme::{EventLoop, Interest, Notifier, Server};
use toy::Toy;

/// Everything here ends within this time, or is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// The directory that this run mounts in, or why it cannot mount.
fn scheme_root() -> Result<&'static PathBuf, &'static str> {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    if !rustix::process::geteuid().is_root() {
        return Err("not root");
    }
    if File::options().read(true).write(true).open("/dev/fuse").is_err() {
        return Err("no /dev/fuse");
    }
    Ok(ROOT.get_or_init(|| {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scheme");
        // SAFETY: this comes first in each test, before it reads the environment or starts a thread that does.
        unsafe { std::env::set_var("SCHEME_ROOT", &root) };
        root
    }))
}

/// A toy scheme, served by a thread until dropped.
struct Served {
    place: PathBuf,
    open_handles: Arc<Mutex<usize>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn new(name: &'static str) -> Option<Self> {
        let place = match scheme_root() {
            Ok(root) => root.join(name),
            Err(reason) => {
                println!("skipped: {reason}");
                return None;
            }
        };
        let (stop, open_handles) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&open_handles));
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let notifier = Notifier::default();
            let mut server = Server::new(name, Toy::new(notifier.clone()), notifier).unwrap();
            let mut event_loop = EventLoop::new().unwrap();
            event_loop.register(server.as_raw_fd(), 0, Interest::Read).unwrap();
            ready.send(()).unwrap();
            let mut events = Vec::new();
            let start = Instant::now();
            // A server that ends answers everybody, so that no test waits longer.
            while !stopped.load(Ordering::Relaxed) && start.elapsed() < 3 * PATIENCE {
                let rest =
                    server.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
                let pause = Duration::from_millis(10);
                event_loop.wait(Some(rest.map_or(pause, |rest| rest.min(pause))), &mut events).unwrap();
                server.process(Instant::now()).unwrap();
                *count.lock().unwrap() = server.scheme().open_handles();
            }
        });
        is_ready.recv_timeout(PATIENCE).unwrap();
        Some(Self { place, open_handles, stop, thread: Some(thread) })
    }

    fn path(&self, node: &str) -> PathBuf {
        self.place.join(node)
    }

    fn write(&self, message: &str) {
        let mut board = File::options().write(true).open(self.path("board")).unwrap();
        board.write_all(message.as_bytes()).unwrap();
    }

    #[track_caller]
    fn expect_open_handles(&self, expected: usize) {
        eventually(|| *self.open_handles.lock().unwrap() == expected);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            assert!(thread::panicking() || result.is_ok(), "the server died");
        }
    }
}

#[track_caller]
fn eventually(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a program's end, and gives its output.
#[track_caller]
fn finish(mut child: Child) -> String {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("a program hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let mut output = String::new();
    child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut output));
    output
}

fn shell(script: String) -> Child {
    Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap()
}

fn board(options: OpenOptions, scheme: &str) -> File {
    client::open(scheme, "board", options).unwrap()
}

const READ: OpenOptions = OpenOptions { read: true, write: false, nonblocking: false };
const BOTH: OpenOptions = OpenOptions { read: true, write: true, nonblocking: false };
const NONBLOCKING: OpenOptions = OpenOptions { read: true, write: true, nonblocking: true };

#[test]
fn a_blocked_cat_ends_at_once_when_interrupted() {
    let Some(served) = Served::new("interrupted") else { return };
    let mut cat = Command::new("cat").arg(served.path("board")).stdout(Stdio::piped()).spawn().unwrap();
    served.expect_open_handles(1);
    thread::sleep(Duration::from_millis(100));
    assert!(cat.try_wait().unwrap().is_none(), "cat does not wait");
    let start = Instant::now();
    let pid = rustix::process::Pid::from_child(&cat);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    finish(cat);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    served.expect_open_handles(0);
}

#[test]
fn every_blocked_reader_gets_each_message() {
    let Some(served) = Served::new("readers") else { return };
    let readers = [0, 1].map(|_| shell(format!("head -c 6 {}", served.path("board").display())));
    served.expect_open_handles(2);
    served.write("hello\n");
    for reader in readers {
        assert_eq!(finish(reader), "hello\n");
    }
}

#[test]
fn a_shell_lists_reads_and_writes() {
    let Some(served) = Served::new("shell") else { return };
    let place = served.place.display();
    assert_eq!(finish(shell(format!("ls {place}"))), "board\nrooms\nsecret\n");
    assert_eq!(finish(shell(format!("ls -a {place}/rooms"))), ".\n..\nnote\n");
    assert_eq!(finish(shell(format!("cat {place}/rooms/note"))), "hello\n");
    assert_eq!(finish(shell(format!("echo new > {place}/rooms/note; cat {place}/rooms/note"))), "new\n");
    assert_eq!(finish(shell(format!("tail -c 2 {place}/rooms/note; wc -c < {place}/rooms/note"))), "w\n4\n");
    assert_eq!(
        finish(shell(format!("cat {place}/none 2>&1"))),
        format!("cat: {place}/none: No such file or directory\n")
    );
    assert_eq!(
        finish(shell(format!(
            "cd {place} && touch rooms/note && test -w rooms && test -r secret && echo yes"
        ))),
        "yes\n"
    );
    served.expect_open_handles(0);
}

#[test]
fn the_scheme_decides_by_uid() {
    let Some(served) = Served::new("uid") else { return };
    let cat = |node: &str| {
        // The directory itself, since the way to it may not be open to everyone.
        let place = File::open(&served.place).unwrap();
        let mut cat = Command::new("cat");
        cat.arg(format!("/proc/self/fd/0/{node}")).stdin(place).stdout(Stdio::null()).stderr(Stdio::null());
        cat.uid(65534).gid(65534).status().unwrap().success()
    };
    assert!(!cat("secret"));
    assert!(cat("rooms/note"));
}

#[test]
fn a_nonblocking_read_does_not_wait() {
    let Some(served) = Served::new("nonblocking") else { return };
    let mut file = board(NONBLOCKING, "nonblocking");
    let error = file.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    served.write("now");
    let mut buffer = [0; 8];
    assert_eq!(file.read(&mut buffer).unwrap(), 3);
}

#[test]
fn a_poll_is_woken() {
    let Some(served) = Served::new("poll") else { return };
    let mut file = board(NONBLOCKING, "poll");
    let readable = |patience: Duration| {
        let mut files = [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)];
        poll(&mut files, Some(&Timespec::try_from(patience).unwrap())).unwrap() == 1
    };
    assert!(!readable(Duration::from_millis(50)));
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            served.write("wake");
        });
        assert!(readable(PATIENCE));
    });
    assert!(readable(Duration::ZERO), "it stays readable");
    file.read_exact(&mut [0; 4]).unwrap();
    let mut events = Vec::new();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.register(file.as_raw_fd(), 5, Interest::Read).unwrap();
    for _ in 0..3 {
        event_loop.wait(Some(Duration::from_millis(20)), &mut events).unwrap();
        assert_eq!(events, []);
        served.write("wake");
        event_loop.wait(Some(PATIENCE), &mut events).unwrap();
        assert_eq!(events.len(), 1);
        file.read_exact(&mut [0; 4]).unwrap();
    }
}

#[test]
fn two_writers_of_one_path_do_not_wait_for_each_other() {
    let Some(served) = Served::new("writers") else { return };
    let (mut first, mut second) = (board(BOTH, "writers"), board(BOTH, "writers"));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| first.write_all(toy::WAITING_WRITE));
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        let start = Instant::now();
        drop(second.try_clone().unwrap());
        second.write_all(b"let it go").unwrap();
        assert!(start.elapsed() < PATIENCE);
        waiting.join().unwrap().unwrap();
    });
    served.expect_open_handles(2);
}

#[test]
fn a_client_dups_and_calls() {
    let Some(served) = Served::new("client") else { return };
    let file = board(BOTH, "client");
    let mut copy = client::dup(&file, b"again").unwrap();
    served.expect_open_handles(2);
    copy.write_all(b"to both").unwrap();
    let mut payload = *b"abc";
    assert_eq!(client::call(&copy, &mut payload, &[4, 5, 6]).unwrap(), 15);
    assert_eq!(&payload, b"cba");
    let mut most = vec![7; client::MAX_PAYLOAD];
    assert_eq!(client::call(&file, &mut most, &[]).unwrap(), 0);
    assert!(client::call(&file, &mut vec![7; client::MAX_PAYLOAD + 1], &[]).is_err());
    assert_eq!(client::fpath(&copy).unwrap(), "/scheme/toy/Board");
    assert!(copy.metadata().unwrap().is_file());
    drop((file, copy));
    served.expect_open_handles(0);
    assert!(client::call(&File::open("/dev/null").unwrap(), &mut [], &[]).is_err());
}

#[test]
fn dup_and_call_wait_unless_told_not_to() {
    let Some(served) = Served::new("waiting") else { return };
    let (blocking, nonblocking) = (board(BOTH, "waiting"), board(NONBLOCKING, "waiting"));
    assert_eq!(client::dup(&nonblocking, b"wait").unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(client::call(&blocking, &mut [], &[2]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    thread::scope(|scope| {
        let accepted = scope.spawn(|| client::dup(&blocking, b"wait"));
        let called = scope.spawn(|| client::call(&nonblocking, &mut [], &[1]).unwrap_err().kind());
        thread::sleep(Duration::from_millis(100));
        assert!(!accepted.is_finished());
        assert_eq!(called.join().unwrap(), io::ErrorKind::WouldBlock);
        served.write("one");
        assert!(accepted.join().unwrap().is_ok());
    });
}

#[test]
fn paths_that_linux_cannot_carry_arrive() {
    let Some(_served) = Served::new("paths") else { return };
    let path = |path: &str| client::fpath(&client::open("paths", path, READ).unwrap()).unwrap();
    assert_eq!(path("/0.0.0.0:80/a%b"), "/scheme/toy/Slash(\"/0.0.0.0:80/a%b\")");
    assert_eq!(path(""), "/scheme/toy/Root");
    assert_eq!(path("rooms/note"), "/scheme/toy/Note");
}

#[test]
fn a_read_ends_with_its_timeout() {
    let Some(_served) = Served::new("timeout") else { return };
    let mut file = board(READ, "timeout");
    drop(client::dup(&file, b"timeout").unwrap());
    let start = Instant::now();
    assert_eq!(file.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!((Duration::from_millis(100)..PATIENCE).contains(&start.elapsed()));
}

#[test]
fn a_dead_servers_mount_is_replaced_and_a_live_ones_is_not() {
    let Some(first) = Served::new("stale") else { return };
    let refused = Server::new("stale", Toy::new(Notifier::default()), Notifier::default());
    assert!(refused.err().unwrap().to_string().contains("File exists"));
    drop(first);
    let place = scheme_root().unwrap().join("stale");
    fs::create_dir(&place).unwrap();
    leave_a_stale_mount(&place);
    assert_eq!(fs::read_dir(&place).unwrap_err().raw_os_error(), Some(libc::ENOTCONN));
    let second = Served::new("stale").unwrap();
    assert_eq!(fs::read_to_string(second.path("rooms/note")).unwrap(), "hello\n");
    drop(second);
    assert!(!place.exists(), "its name is gone");
}

/// A mount whose server is gone.
fn leave_a_stale_mount(place: &std::path::Path) {
    let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
    let options = std::ffi::CString::new(options).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("stale", place, "fuse.stale", flags, options.as_c_str()).unwrap();
}
