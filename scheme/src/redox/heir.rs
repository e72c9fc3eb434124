//! What becomes of those who wait in a server that was killed.
//!
//! Redox's kernel leaves them waiting, since a scheme's callers are woken by answers alone. So each daemon that serves
//! schemes has an heir: a process of the same program, which holds the schemes' sockets too and, once the daemon is
//! gone, answers for it that there is no such device. More it cannot do: what requests carry is mapped into the
//! process that made the socket.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use libredox::{Fd, call};
use syscall::flag::{CallFlags, EventFlags};
use syscall::schemev2::{Cqe, CqeOpcode, Sqe, SqeFlags};

use crate::Error;
use crate::errno::{EAGAIN, ENODEV};

/// Set in the environment of an heir, whose standard input is the pipe on which the sockets come.
const VARIABLE: &str = "SCHEME_HEIR";

/// How many requests of a socket are looked for that nobody answered, and how many handles that somebody polls. The
/// kernel numbers requests, and we number handles, from 0 up, and give numbers again.
const MOST: u32 = 16384;

/// How long the heir goes on to answer after the last request, and how often it looks for one.
const LINGER: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// The daemon's end of the pipe: its end is how the heir learns of the daemon's.
static WILL: OnceLock<io::PipeWriter> = OnceLock::new();

/// Whether this process is an heir.
pub(crate) fn is_heir() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// Starts an heir for this process. It must be before memory is there that devices reach, which a fork would move.
pub(crate) fn start() -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    Command::new(env::current_exe()?).env(VARIABLE, "1").stdin(Stdio::from(OwnedFd::from(reader))).spawn()?;
    // There is one heir: this is called once in the life of a process.
    let _ = WILL.set(writer);
    Ok(())
}

/// Leaves a scheme's socket to the heir, if there is one.
pub(super) fn bequeath(socket: RawFd) -> io::Result<()> {
    let Some(will) = WILL.get() else { return Ok(()) };
    let number = (socket as usize).to_ne_bytes();
    call::call_wo(will.as_raw_fd() as usize, &number, CallFlags::FD | CallFlags::FD_CLONE, &[])?;
    // One byte a socket, which wakes the heir.
    (&*will).write_all(&[0])
}

/// The heir's life: waits until the daemon is gone, does `last_rites`, and answers for it.
pub(crate) fn live(last_rites: impl FnOnce()) -> io::Result<()> {
    let mut will = io::stdin().as_fd().try_clone_to_owned().map(File::from)?;
    let mut sockets = Vec::new();
    while will.read(&mut [0])? > 0 {
        sockets.push(receive(&will)?);
    }
    last_rites();
    sockets.iter().for_each(answer_all);
    let mut last = Instant::now();
    while last.elapsed() < LINGER {
        for socket in &sockets {
            if answer_next(socket)? {
                last = Instant::now();
            }
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// The socket that comes over the pipe.
fn receive(will: &File) -> io::Result<Fd> {
    // relibc chooses the number, which a pipe takes in the upper half of the table only: too large for a `RawFd`.
    let mut number = usize::MAX.to_ne_bytes();
    let flags = CallFlags::FD | CallFlags::FD_UPPER;
    call::call_ro(will.as_raw_fd() as usize, &mut number, flags, &[])?;
    Ok(Fd::new(usize::from_ne_bytes(number)))
}

/// Answers whatever may be unanswered, and wakes whoever may poll.
fn answer_all(socket: &Fd) {
    let edges = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
    for number in 0..MOST {
        // Refused for a request that there is not.
        let _ = socket.write(&refusal(number));
        let _ = socket.write(&Cqe {
            flags: CqeOpcode::SendFevent as u8,
            tag: edges.bits() as u32,
            result: number.into(),
            ..Cqe::default()
        });
    }
}

/// Answers a request that has come since; false if there is none.
fn answer_next(socket: &Fd) -> io::Result<bool> {
    let mut request = Sqe::default();
    match socket.read(&mut request) {
        Ok(0) => Ok(false),
        Ok(_) if request.sqe_flags.contains(SqeFlags::ONEWAY) => Ok(true),
        Ok(_) => {
            // Refused for one that was answered with all.
            let _ = socket.write(&refusal(request.tag));
            Ok(true)
        }
        Err(error) if error.errno() == EAGAIN => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The answer to request `tag`: no such device.
fn refusal(tag: u32) -> Cqe {
    let result = Error::mux(Err(Error::new(ENODEV))) as u64;
    Cqe { flags: CqeOpcode::RespondRegular as u8, tag, result, ..Cqe::default() }
}
