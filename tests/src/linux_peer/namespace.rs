//! A network namespace without a name: it is gone with the last that is in it, however that ended.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{Context, Error, Result};

/// Makes a namespace, with its loopback up, and stays in it until its standard input ends.
const HOLDER: [&str; 5] = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo made && read -r _"];

/// A network of its own, with a loopback and nothing else.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// The kernel forbids it, or `ip` is missing.
    pub fn new() -> Result<Self> {
        let [program, arguments @ ..] = HOLDER;
        let mut holder = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start", Path::new(program))?;
        let mut line = String::new();
        let mut output = BufReader::new(holder.stdout.take().ok_or_else(|| unmade(""))?);
        output.read_line(&mut line).context("read from", Path::new(program))?;
        let path = Path::new("/proc").join(holder.id().to_string()).join("ns/net");
        let namespace = File::open(&path).context("open", &path);
        // Its standard input is closed before it is waited for.
        let said = holder.wait_with_output().context("wait for", Path::new(program))?;
        match line.as_str() {
            "made\n" => namespace.map(Self),
            _ => Err(unmade(String::from_utf8_lossy(&said.stderr).trim())),
        }
    }

    /// Does something in the namespace: the sockets that `action` makes, and the threads that it starts, are there.
    pub fn enter<T: Send>(&self, action: impl FnOnce() -> T + Send) -> io::Result<T> {
        let inside = || {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(action())
        };
        // A thread, since one cannot come back.
        thread::scope(|scope| scope.spawn(inside).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The namespace as a file, as long as this is there.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()))
    }

    /// A command in the namespace; the kernel ends it when the thread that starts it ends.
    pub fn command(&self, program: &str) -> Command {
        let namespace = format!("--net={}", self.path().display());
        let mut command = Command::new("nsenter");
        command.args([&namespace, "--", "setpriv", "--pdeathsig", "KILL", "--", program]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a program in the namespace to its end, and gives what it said.
    ///
    /// # Errors
    /// It failed; the error says what it said.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.command(program).args(arguments).output().context("run", Path::new(program))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let line = arguments.join(" ");
        Err(Error::Peer(format!("{program} {line}: {}: {said}{}", output.status, complaint.trim())))
    }

    /// Starts a program in the namespace that goes on; what it says goes to the file `log`.
    pub fn start(&self, program: &str, arguments: &[&str], log: &Path) -> Result<Service> {
        let file = File::create(log).context("create", log)?;
        let errors = file.try_clone().context("open", log)?;
        let mut command = self.command(program);
        let child = command.args(arguments).stdout(file).stderr(errors).spawn();
        Ok(Service(child.context("start", Path::new(program))?))
    }
}

fn unmade(complaint: &str) -> Error {
    Error::Peer(format!("cannot make a network namespace (as root): {complaint}"))
}

/// A program that goes on. Dropping it ends it.
#[derive(Debug)]
pub struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only where it has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_apart_and_it_leaves_nothing() {
        if !rustix::process::geteuid().is_root() {
            return println!("skipped: not root");
        }
        let namespace = Namespace::new().unwrap();
        let listener = namespace.enter(|| std::net::TcpListener::bind(("127.0.0.1", 0))).unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        assert!(std::net::TcpStream::connect(address).is_err(), "it is not this network");
        namespace.enter(|| std::net::TcpStream::connect(address)).unwrap().unwrap();
        let links = namespace.run("ip", &["-brief", "link"]).unwrap();
        assert_eq!(links.lines().count(), 1, "{links}");
        assert!(namespace.run("ip", &["nonsense"]).unwrap_err().to_string().contains("nonsense"));
    }
}
