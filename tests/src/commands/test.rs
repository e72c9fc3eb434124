//! `./x test`.

mod tally;

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clap::ValueEnum;
use tally::Tally;
use testbed::programs;
use testbed::qemu;
use testbed::redox::{build, guest};

/// How many guests run side by side.
const GUESTS: &str = "2";

/// Runs the tests, and says how many passed, failed and were skipped.
///
/// Without a part: all of them, which is what continuous integration runs.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only this part
    part: Option<Part>,
    /// Only tests whose names contain one of these
    #[arg(last = true, value_name = "NAME")]
    names: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting, and clippy without warnings
    Lint,
    /// Everything that needs no guest
    Unit,
    /// The integration tests, each in a guest under QEMU
    Guest,
    /// That all that goes to Redox compiles for it
    RedoxCheck,
    /// The integration tests in Redox, if the environment variable REDOX_IMAGE names an image of it
    Redox,
}

/// Runs the tests as asked.
pub fn run(arguments: &Arguments) -> super::Result {
    let parts = arguments.part.as_ref().map_or(Part::value_variants(), std::slice::from_ref);
    let mut total = Tally::default();
    for part in parts {
        total.add(match part {
            Part::Lint => lint()?,
            Part::Unit => unit(&arguments.names)?,
            Part::Guest => guest(&arguments.names)?,
            Part::RedoxCheck => redox_check()?,
            Part::Redox => redox_if_there_is_one(&arguments.names)?,
        });
    }
    Ok(report(&total))
}

/// Says what became of tests.
pub fn report(total: &Tally) -> ExitCode {
    println!();
    total.reasons().for_each(|reason| println!("{reason}"));
    println!("{total}");
    if total.good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(testbed::workspace());
    command
}

fn lint() -> std::io::Result<Tally> {
    let mut tally = Tally::default();
    let formatted = announce(cargo().args(["fmt", "--all", "--check"])).status()?;
    tally.step("formatting (cargo fmt)", formatted.success());
    let clippy = announce(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
        .status()?;
    tally.step("cargo clippy", clippy.success());
    Ok(tally)
}

fn unit(names: &[OsString]) -> std::io::Result<Tally> {
    let mut tally = Tally::default();
    let mut others = cargo();
    others.args(["test", "--workspace", "--exclude", "testbed", "--no-fail-fast", "--"]).args(names);
    tally.add(cargo_test("unit tests", &mut others)?);
    // The test bed's other tests need a guest: they are a part of their own.
    let mut testbed = cargo();
    testbed.args(["test", "--package", "testbed", "--lib", "--bins", "--no-fail-fast", "--"]).args(names);
    tally.add(cargo_test("unit tests of the test bed", &mut testbed)?);
    // A workspace of its own, of which this needs neither the fuzzer nor its compiler.
    let mut corpus = cargo();
    corpus.args(["test", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"]);
    corpus.args(["--target-dir", "target", "--test", "corpus", "--"]).args(names);
    tally.add(cargo_test("the fuzz corpus", &mut corpus)?);
    Ok(tally)
}

fn guest(names: &[OsString]) -> Result<Tally, Box<dyn std::error::Error>> {
    // Here it shows what it compiles; the tests would do it in silence.
    programs::build()?;
    programs::build_preload()?;
    let mut tests = cargo();
    tests.args([
        "test",
        "--package",
        "testbed",
        "--test",
        "guest",
        "--",
        "--include-ignored",
        "--test-threads",
        GUESTS,
    ]);
    let mut tally = Tally::default();
    skip_igb_where_there_is_none(&mut tests, &mut tally);
    tally.add(cargo_test("guest tests", tests.args(names))?);
    Ok(tally)
}

fn skip_igb_where_there_is_none(tests: &mut Command, tally: &mut Tally) {
    if !qemu::has_newer_devices() {
        tests.args(["--skip", "igb"]);
        tally.skip("tests of igb", "they need QEMU 8 or newer, and Debian's backports did not give one");
    }
}

/// Runs tests and counts what they say of themselves.
fn cargo_test(what: &str, command: &mut Command) -> std::io::Result<Tally> {
    let mut child = announce(command).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        tally.libtest_line(&line);
    }
    if !child.wait()?.success() && tally.good() {
        tally.step(&format!("{what}: they do not build, or ended early"), false);
    }
    Ok(tally)
}

fn redox_check() -> std::io::Result<Tally> {
    let mut command = Command::new("sh");
    command.arg("config/redox-check.sh").current_dir(testbed::workspace());
    let mut child = announce(&mut command).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        tally.redox_check_line(&line);
    }
    if !child.wait()?.success() && tally.good() {
        tally.step("redox-check", false);
    }
    Ok(tally)
}

fn redox_if_there_is_one(names: &[OsString]) -> Result<Tally, Box<dyn std::error::Error>> {
    if let Some(image) = std::env::var_os(guest::IMAGE) {
        return redox(Path::new(&image), &build::build()?, names);
    }
    let mut tally = Tally::default();
    tally.skip(
        "redox",
        "no image of Redox; name one in REDOX_IMAGE, or with ./x redox test --base (docs/redox.md)",
    );
    Ok(tally)
}

/// Runs the tests in Redox, with an image of it and our programs for it.
pub fn redox(image: &Path, programs: &Path, names: &[OsString]) -> Result<Tally, Box<dyn std::error::Error>> {
    let mut tests = cargo();
    tests.args([
        "test",
        "--package",
        "testbed",
        "--test",
        "redox",
        "--",
        "--ignored",
        "--test-threads",
        GUESTS,
    ]);
    // The tests have a working directory of their own.
    for (variable, path) in [(guest::IMAGE, image), (guest::PROGRAMS, programs)] {
        let whole =
            path.canonicalize().map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        tests.env(variable, whole);
    }
    let mut tally = Tally::default();
    skip_igb_where_there_is_none(&mut tests, &mut tally);
    tally.add(cargo_test("tests in Redox", tests.args(names))?);
    Ok(tally)
}

/// Says what is run.
fn announce(command: &mut Command) -> &mut Command {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    eprintln!("x: {}", words.join(" "));
    command.stdin(Stdio::null())
}
