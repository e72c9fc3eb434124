//! Scripts as the host sees them: run by a shell, and by the line runner.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::fs;
use std::path::Path;

use runner::frame::{Decoder, Message, Piece};
use runner::output::Output;

/// What the host hears of a script.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    output: String,
    errors: String,
    status: u8,
}

/// Runs a script with the shells of a folder.
fn run(script: &str, shells: &Path) -> Heard {
    let folder = tempfile::tempdir().unwrap();
    let (file, console) = (folder.path().join("script"), folder.path().join("console"));
    fs::write(&file, script).unwrap();
    fs::write(&console, "").unwrap();
    runner::script::run(&file, shells, &Output::open(&console).unwrap()).unwrap();
    hear(&fs::read(&console).unwrap())
}

fn hear(console: &[u8]) -> Heard {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut pieces = Decoder::default().take(console).into_iter();
    assert_eq!(pieces.next(), Some(Piece::Message(Message::Begin)));
    for piece in pieces.by_ref() {
        match piece {
            Piece::Message(Message::Output(bytes)) => output.extend(bytes),
            Piece::Message(Message::Errors(bytes)) => errors.extend(bytes),
            Piece::Message(Message::Status(status)) => {
                assert_eq!(pieces.next(), None, "the status is the last word");
                let text = |bytes| String::from_utf8(bytes).unwrap();
                return Heard { output: text(output), errors: text(errors), status };
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("no status")
}

fn without_shell(script: &str) -> Heard {
    run(script, tempfile::tempdir().unwrap().path())
}

#[test]
fn a_shell_runs_the_script_where_there_is_one() {
    let heard = run("for word in a b; do echo $word; done; echo 100% >&2; exit 7", Path::new("/bin"));
    assert_eq!(heard, Heard { output: "a\nb\n".into(), errors: "100%\n".into(), status: 7 });
}

#[test]
fn what_is_left_in_the_background_does_not_hold_up_the_end() {
    let started = std::time::Instant::now();
    assert_eq!(run("sleep 30 & echo done", Path::new("/bin")).output, "done\n");
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn without_a_shell_lines_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let script = format!(
        "# A comment.\necho 'a  b' >{0}\necho c >>{0}\ncat {0}\nls {1}\nsh -c 'cat; echo err >&2; exit 3' <{0}\n",
        file.display(),
        folder.path().display()
    );
    let heard = without_shell(&script);
    assert_eq!(heard, Heard { output: "a  b\nc\nfile\na  b\nc\n".into(), errors: "err\n".into(), status: 3 });
}

#[test]
fn a_line_that_fails_does_not_end_the_script() {
    let heard = without_shell("no-such-program\ncat /no/such/file\necho on\n");
    assert_eq!((heard.output.as_str(), heard.status), ("on\n", 0));
    assert!(heard.errors.starts_with("cannot start no-such-program: "), "{}", heard.errors);
    assert!(heard.errors.contains("line 2: cat /no/such/file: "), "{}", heard.errors);
    assert_eq!(without_shell("no-such-program").status, 127);
    assert_eq!(without_shell("sh -c 'kill -9 $$'").status, 137);
    assert_eq!(
        without_shell("exit 5\necho never"),
        Heard { output: "".into(), errors: "".into(), status: 5 }
    );
}

#[test]
fn a_line_in_the_background_does_not_hold_up_the_next() {
    let heard =
        without_shell("sh -c 'sleep 1; echo program; exit 4' &\nsleep 0.5 &\necho first\nwait\necho last");
    assert_eq!(heard.output, "first\nprogram\nlast\n");
    let heard = without_shell("cat /no/such/file &\nwait");
    assert_eq!((heard.errors.contains("line 1: cat /no/such/file &: "), heard.status), (true, 1));
    assert_eq!(without_shell("sh -c 'exit 4' &\nwait").status, 4);
    assert_eq!(without_shell("no-such-program &\nwait").status, 127);
    assert_eq!(without_shell("sh <file-that-is-not &\nwait").status, 1);
    assert_eq!(without_shell("sleep 30 &\nexit 3").status, 3);
}

#[test]
fn a_line_that_needs_a_shell_ends_it_and_says_so() {
    let heard = without_shell("echo a | cat\necho never");
    assert_eq!((heard.output.as_str(), heard.status), ("", 2));
    assert!(heard.errors.contains("`|` needs a shell"), "{}", heard.errors);
}
