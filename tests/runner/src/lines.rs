//! The line runner: a script without a shell. Each line is a program, or one of the few commands that are built in.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::frame::Message;
use crate::line::{self, Line};
use crate::output::Output;

/// The status of a line that makes no sense, as in a shell.
const USAGE: u8 = 2;

/// Runs the script's lines one after the other, and gives the last one's status, or that of `exit`.
pub fn run(script: &Path, output: &Output) -> io::Result<u8> {
    let mut status = 0;
    for (number, text) in fs::read_to_string(script)?.lines().enumerate() {
        let line = match line::parse(text) {
            Ok(line) => line,
            Err(error) => {
                output.complain(&format!("line {}: {error}", number + 1))?;
                return Ok(USAGE);
            }
        };
        let Some((command, arguments)) = line.words.split_first() else { continue };
        if command == "exit" {
            return Ok(arguments.first().map_or(Some(status), |code| code.parse().ok()).unwrap_or(USAGE));
        }
        status = match execute(command, arguments, &line, output)? {
            Ok(status) => status,
            Err(error) => {
                output.complain(&format!("line {}: {text}: {error}", number + 1))?;
                1
            }
        };
    }
    Ok(status)
}

/// Runs one line. The inner error is the script's own, the outer one the console's.
fn execute(command: &str, arguments: &[String], line: &Line, output: &Output) -> io::Result<io::Result<u8>> {
    let built_in = match command {
        "cat" => cat(arguments, line),
        "echo" => Ok(arguments.join(" ").into_bytes().into_iter().chain([b'\n']).collect()),
        "ls" => list(arguments),
        "sleep" => sleep(arguments),
        _ => return program(command, arguments, line, output),
    };
    match (built_in, &line.output) {
        (Ok(bytes), None) => output.say(&Message::Output(bytes)).map(|()| Ok(0)),
        (Ok(bytes), Some(_)) => Ok(write(line, &bytes).map(|()| 0)),
        (Err(error), _) => Ok(Err(error)),
    }
}

fn program(command: &str, arguments: &[String], line: &Line, output: &Output) -> io::Result<io::Result<u8>> {
    let mut program = Command::new(command);
    program.args(arguments);
    match (line.input.as_deref().map(File::open).transpose(), open_output(line)) {
        (Ok(input), Ok(stdout)) => {
            program.stdin(input.map_or_else(Stdio::null, Stdio::from));
            output.run(&mut program, stdout).map(Ok)
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

fn cat(files: &[String], line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let input = line.input.iter().map(|path| path.as_path());
    for file in input.chain(files.iter().map(Path::new)) {
        File::open(file)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
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
