//! The line runner: a script without a shell. Each line is a program, or one of the few commands that are built in.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::frame::Message;
use crate::line::{self, Line};
use crate::output::{Output, Program};

/// The status of a line that makes no sense, as in a shell.
const USAGE: u8 = 2;

/// The commands that are no programs.
const BUILT_IN: [&str; 4] = ["cat", "echo", "ls", "sleep"];

/// As much as any frame or datagram has, in bytes.
const LARGEST_READ: usize = 65536;

/// Runs the script's lines one after the other, and gives the last one's status, or that of `exit`. What runs in the
/// background at the end is left there.
pub fn run(script: &Path, output: &Output) -> io::Result<u8> {
    let mut status = 0;
    let mut background = Vec::new();
    for (number, text) in (1..).zip(fs::read_to_string(script)?.lines()) {
        let line = match line::parse(text) {
            Ok(line) => line,
            Err(error) => {
                output.complain(&format!("line {number}: {error}"))?;
                return Ok(USAGE);
            }
        };
        let arguments = line.words.get(1..).unwrap_or_default();
        status = match line.words.first().map(String::as_str) {
            None => continue,
            Some("exit") => {
                let code = arguments.first().map_or(Some(status), |code| code.parse().ok());
                return Ok(code.unwrap_or(USAGE));
            }
            Some("wait") => wait(&mut background)?,
            Some(_) if line.background => {
                background.push(leave(number, text, line, output)?);
                0
            }
            Some(_) => execute(number, text, &line, output)?,
        };
    }
    Ok(status)
}

/// Runs a line in the background. A program is started by this thread: a process of several cannot be forked by any.
fn leave(number: usize, text: &str, line: Line, output: &Output) -> io::Result<JoinHandle<io::Result<u8>>> {
    if line.words.first().is_some_and(|command| !BUILT_IN.contains(&command.as_str())) {
        let started = start(&line, output)?;
        let (output, text) = (output.clone(), text.to_owned());
        return Ok(thread::spawn(move || match started {
            Ok(started) => started.map_or_else(Ok, Program::finish),
            Err(error) => fail(number, &text, &error, &output),
        }));
    }
    let (output, text) = (output.clone(), text.to_owned());
    Ok(thread::spawn(move || execute(number, &text, &line, &output)))
}

/// Waits for what runs in the background; gives the status of what was begun last.
fn wait(background: &mut Vec<JoinHandle<io::Result<u8>>>) -> io::Result<u8> {
    let ends: Vec<_> = background.drain(..).map(JoinHandle::join).collect();
    ends.into_iter()
        .next_back()
        .map_or(Ok(0), |end| end.unwrap_or_else(|_| Err(io::Error::other("a line's thread panicked"))))
}

/// Runs one line, and says why where it cannot. An error is the console's.
fn execute(number: usize, text: &str, line: &Line, output: &Output) -> io::Result<u8> {
    match command(line, output)? {
        Ok(status) => Ok(status),
        Err(error) => fail(number, text, &error, output),
    }
}

/// Says why a line cannot be run, and gives the status for that.
fn fail(number: usize, text: &str, error: &io::Error, output: &Output) -> io::Result<u8> {
    output.complain(&format!("line {number}: {text}: {error}"))?;
    Ok(1)
}

/// Runs a line's command. The inner error is the script's own, the outer one the console's.
fn command(line: &Line, output: &Output) -> io::Result<io::Result<u8>> {
    let Some((command, arguments)) = line.words.split_first() else { return Ok(Ok(0)) };
    let built_in = match command.as_str() {
        "cat" => return cat(arguments, line, output),
        "echo" => Ok(arguments.join(" ").into_bytes().into_iter().chain([b'\n']).collect()),
        "ls" => list(arguments),
        "sleep" => sleep(arguments),
        _ => {
            return match start(line, output)? {
                Ok(started) => started.map_or_else(Ok, Program::finish).map(Ok),
                Err(error) => Ok(Err(error)),
            };
        }
    };
    match (built_in, &line.output) {
        (Ok(bytes), None) => output.say(&Message::Output(bytes)).map(|()| Ok(0)),
        (Ok(bytes), Some(_)) => Ok(write(line, &bytes).map(|()| 0)),
        (Err(error), _) => Ok(Err(error)),
    }
}

/// Starts a line's program. The outermost error is the console's, the next the line's, the innermost the status of a
/// program that cannot be started.
fn start(line: &Line, output: &Output) -> io::Result<io::Result<Result<Program, u8>>> {
    let Some((command, arguments)) = line.words.split_first() else { return Ok(Ok(Err(0))) };
    let mut program = Command::new(command);
    program.args(arguments);
    match (line.input.as_deref().map(File::open).transpose(), open_output(line)) {
        (Ok(input), Ok(stdout)) => {
            program.stdin(input.map_or_else(Stdio::null, Stdio::from));
            output.start(&mut program, stdout).map(Ok)
        }
        (Err(error), _) | (_, Err(error)) => Ok(Err(error)),
    }
}

/// The file that the line's output goes to. One of a scheme is there already, and is written as it is.
fn open_output(line: &Line) -> io::Result<Option<File>> {
    let Some(path) = &line.output else { return Ok(None) };
    let scheme = path.starts_with("/scheme");
    let mut options = File::options();
    options.write(true).create(!scheme).append(line.append && !scheme).truncate(!line.append && !scheme);
    options.open(path).map(Some)
}

/// Writes all bytes in one go: a frame, or a line of a configuration, is one write.
fn write(line: &Line, bytes: &[u8]) -> io::Result<()> {
    open_output(line)?.map_or(Ok(()), |mut file| file.write_all(bytes))
}

/// Copies files as they come: a file of a scheme may have no end.
fn cat(files: &[String], line: &Line, output: &Output) -> io::Result<io::Result<u8>> {
    let input = line.input.iter().map(|path| path.as_path());
    let mut sources = input.chain(files.iter().map(Path::new));
    let mut sink = match open_output(line) {
        Ok(sink) => sink,
        Err(error) => return Ok(Err(error)),
    };
    let mut buffer = vec![0; LARGEST_READ];
    let mut source: Option<File> = None;
    loop {
        let count = match source.as_mut().map_or(Ok(0), |source| source.read(&mut buffer)) {
            Ok(0) => {
                source = match sources.next().map(File::open) {
                    None => return Ok(Ok(0)),
                    Some(Ok(next)) => Some(next),
                    Some(Err(error)) => return Ok(Err(error)),
                };
                continue;
            }
            Ok(count) => count,
            Err(error) => return Ok(Err(error)),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        match &mut sink {
            None => output.say(&Message::Output(bytes.to_vec()))?,
            Some(sink) => {
                if let Err(error) = sink.write_all(bytes) {
                    return Ok(Err(error));
                }
            }
        }
    }
}

fn list(folders: &[String]) -> io::Result<Vec<u8>> {
    let mut names = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned() + "\n");
        }
    }
    names.sort();
    Ok(names.concat().into_bytes())
}

fn sleep(arguments: &[String]) -> io::Result<Vec<u8>> {
    let seconds = arguments.first().and_then(|seconds| seconds.parse::<f64>().ok());
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    thread::sleep(duration.ok_or(io::ErrorKind::InvalidInput)?);
    Ok(Vec::new())
}
