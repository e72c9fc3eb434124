//! QEMU's monitor: what a test does to the machine from outside, such as pulling a cable (QEMU Machine Protocol).

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::nic::path;
use crate::run::POLL;
use crate::{Context, Error, Result};

/// How long QEMU may take to connect, and to answer a command.
const PATIENCE: Duration = Duration::from_secs(30);

/// The monitor of a QEMU that is to be started, or runs.
#[derive(Debug)]
pub struct Monitor {
    listener: UnixListener,
    stream: Option<BufReader<UnixStream>>,
    /// Holds the socket; its path is short, as a socket's must be.
    folder: TempDir,
}

impl Monitor {
    /// A monitor that waits for its QEMU.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let socket = folder.path().join("monitor");
        let listener = UnixListener::bind(&socket).context("bind", &socket)?;
        listener.set_nonblocking(true).context("bound the wait at", &socket)?;
        Ok(Self { listener, stream: None, folder })
    }

    /// Has QEMU connect to it.
    pub fn attach(&self, command: &mut Command) {
        let socket = path(&self.folder.path().join("monitor"));
        command.arg("-chardev").arg(format!("socket,id=monitor,path={socket}"));
        command.args(["-mon", "chardev=monitor,mode=control"]);
    }

    /// Pulls the cable out of the first network device, or puts it back.
    pub fn plug(&mut self, cable: bool) -> Result<()> {
        self.execute("set_link", &json!({"name": "net0", "up": cable})).map(drop)
    }

    /// Lets a machine begin that was started with its processor stopped.
    pub fn begin(&mut self) -> Result<()> {
        self.execute("cont", &json!({})).map(drop)
    }

    /// The word at `offset` of the configuration space of the PCI function in slot `slot` of the root bus, by PCI's
    /// ports 0xcf8 and 0xcfc.
    pub fn read_config(&mut self, slot: u8, offset: u8) -> Result<u32> {
        let address = 0x8000_0000 | u32::from(slot) << 11 | u32::from(offset & !3);
        self.human(&format!("o/4 0xcf8 {address:#x}"))?;
        // `portl[0x0cfc] = 0x00100006`
        let answer = self.human("i/4 0xcfc")?;
        let word = answer.trim().rsplit("0x").next().and_then(|word| u32::from_str_radix(word, 16).ok());
        word.ok_or_else(|| Error::Guest(format!("QEMU's monitor gave {answer:?} for a port's content")))
    }

    /// Carries out a command of the monitor for people, and gives what it says.
    fn human(&mut self, line: &str) -> Result<String> {
        let answer = self.execute("human-monitor-command", &json!({"command-line": line}))?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        if self.stream.is_none() {
            let stream = self.connect().map_err(refused("connect"))?;
            self.stream = Some(BufReader::new(stream));
            self.answer().map_err(refused("greet"))?;
            self.exchange("qmp_capabilities", &json!({}))?;
        }
        self.exchange(command, arguments)
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                    thread::sleep(POLL);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn exchange(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let request = json!({"execute": command, "arguments": arguments});
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected.into());
        stream.and_then(|stream| writeln!(stream.get_mut(), "{request}")).map_err(refused(command))?;
        loop {
            let answer = self.answer().map_err(refused(command))?;
            if let Some(result) = answer.get("return") {
                return Ok(result.clone());
            }
            if let Some(error) = answer.get("error") {
                return Err(Error::Guest(format!("QEMU's monitor refuses {command}: {error}")));
            }
            // An event, of which nobody asked.
        }
    }

    fn answer(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&line).map_err(io::Error::from)
    }
}

fn refused(action: &str) -> impl Fn(io::Error) -> Error {
    let action = action.to_owned();
    move |error| Error::Guest(format!("QEMU's monitor does not {action}: {error}"))
}
