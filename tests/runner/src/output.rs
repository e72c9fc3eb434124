//! The way out: the console, to which the script's output goes as frames while it runs.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::frame::{self, Message};

/// How long after a program's end something that it left in the background may still speak.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The console. Copies write to the same one.
#[derive(Clone, Debug)]
pub struct Output(Arc<Mutex<File>>);

impl Output {
    /// Opens the console.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(File::options().write(true).open(path)?))))
    }

    /// Says it to the host.
    pub fn say(&self, message: &Message) -> io::Result<()> {
        // A thread that ended in the midst of a write leaves nothing half-done behind.
        let mut console = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame::encode(message).iter().try_for_each(|frame| console.write_all(frame))
    }

    /// Says a line of our own on the script's standard error.
    pub fn complain(&self, line: &str) -> io::Result<()> {
        self.say(&Message::Errors(format!("{line}\n").into_bytes()))
    }

    /// Starts a program whose standard error, and standard output unless the command says where it goes, goes to the
    /// host. The inner error is the status of one that cannot be started, as a shell has it: 127 where there is none.
    pub fn start(&self, command: &mut Command, stdout: Option<File>) -> io::Result<Result<Program, u8>> {
        command.stdout(stdout.map_or_else(Stdio::piped, Stdio::from)).stderr(Stdio::piped());
        match command.spawn() {
            Ok(mut child) => Ok(Ok(Program { ended: self.copy(&mut child), child })),
            Err(error) => {
                self.complain(&format!("cannot start {}: {error}", command.get_program().display()))?;
                Ok(Err(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }))
            }
        }
    }

    /// Starts a program, and waits for its end ([`Program::finish`]).
    pub fn run(&self, command: &mut Command, stdout: Option<File>) -> io::Result<u8> {
        self.start(command, stdout)?.map_or_else(Ok, Program::finish)
    }

    /// Copies what the program says, as it comes. The receiver is disconnected once all of it is copied.
    fn copy(&self, child: &mut Child) -> Receiver<()> {
        let (ends, ended) = channel();
        if let Some(stdout) = child.stdout.take() {
            self.pump(stdout, Message::Output, ends.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            self.pump(stderr, Message::Errors, ends);
        }
        ended
    }

    fn pump(&self, mut source: impl Read + Send + 'static, message: fn(Vec<u8>) -> Message, end: Sender<()>) {
        let output = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let bytes = buffer.get(..count).unwrap_or_default().to_vec();
                if output.say(&message(bytes)).is_err() {
                    break;
                }
            }
            drop(end);
        });
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Program {
    child: Child,
    ended: Receiver<()>,
}

impl Program {
    /// Waits for its end. Gives its status as a shell has it: 128 and more for a signal.
    pub fn finish(mut self) -> io::Result<u8> {
        let status = self.child.wait()?;
        // Both copies tell their end; a program left in the background may keep them open.
        while self.ended.recv_timeout(LAST_WORDS).is_ok() {}
        Ok(code(status))
    }
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
