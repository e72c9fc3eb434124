//! The scripts' language: what a peer sends, what we must send, what a program does, and when.

use std::ops::RangeInclusive;

use smoltcp::time::Duration;

/// How long we may take to answer, if a script does not say: no acknowledgement may come later (RFC 9293,
/// section 3.8.6.3).
const PROMPTLY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_millis(500);

/// What `established` stands for: the peer has called, with segments of an Ethernet, and a program has the connection.
const ESTABLISHED: &str = "listen\n< S 0 mss 1460\n> SA 0 ack 1\n< A 1 ack 1\naccept";

/// A script.
#[derive(Debug, Default)]
pub struct Script {
    /// The only version of IP that it is true of: `only IPv6`.
    pub only: Option<Version>,
    /// Its other lines that say something, with their numbers.
    pub steps: Vec<(usize, Step)>,
}

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 791.
    V4,
    /// RFC 8200.
    V6,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `< S 0 win 8000`: the peer sends this.
    Peer(Segment),
    /// `> SA 0 ack 1`: we send this next, `1s..2s > S 0` within that time.
    Ours(RangeInclusive<Duration>, Segment),
    /// `nothing for 1s`: we send nothing.
    Nothing(Duration),
    /// `read 100 -> 100`: a program does something, and that is what it gets.
    Call {
        /// What it does.
        name: String,
        /// With which number.
        argument: usize,
        /// A number, or the name of an error; nothing asks for success alone.
        result: Option<String>,
    },
}

/// A segment. Numbers count from the initial ones of both sides: the SYN has 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Some of `SFRA`. (PSH says nothing that must be heeded.)
    pub flags: String,
    /// Its sequence number.
    pub number: u32,
    /// How many bytes of text it has.
    pub length: usize,
    /// What it acknowledges; `None` where that is not asked for.
    pub acknowledged: Option<u32>,
    /// Its window, without a scale.
    pub window: Option<u16>,
    /// Its maximum segment size.
    pub mss: Option<u16>,
}

impl Segment {
    /// It has this flag.
    pub fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }
}

/// Parses a script. What follows a `#` says why.
pub fn parse(text: &str) -> Result<Script, String> {
    let said = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let whole = (1..).zip(said).flat_map(|(number, line)| {
        let lines = if line == "established" { ESTABLISHED } else { line };
        lines.lines().map(move |line| (number, line))
    });
    let mut script = Script::default();
    for (number, line) in whole {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["only", "IPv4"] => script.only = Some(Version::V4),
            ["only", "IPv6"] => script.only = Some(Version::V6),
            words => {
                let unknown = || format!("line {number} says nothing that is known: {line}");
                script.steps.push((number, step(words).ok_or_else(unknown)?));
            }
        }
    }
    Ok(script)
}

fn step(words: &[&str]) -> Option<Step> {
    match words {
        ["<", rest @ ..] => segment(rest).map(Step::Peer),
        [">", rest @ ..] => segment(rest).map(|ours| Step::Ours(PROMPTLY, ours)),
        [when, ">", rest @ ..] => {
            let (from, to) = when.split_once("..")?;
            Some(Step::Ours(duration(from)?..=duration(to)?, segment(rest)?))
        }
        ["nothing", "for", time] => duration(time).map(Step::Nothing),
        [call @ .., "->", result] => step_of(call, Some((*result).to_owned())),
        call => step_of(call, None),
    }
}

fn step_of(words: &[&str], result: Option<String>) -> Option<Step> {
    let (name, argument) = match words {
        [name] => (name, 0),
        [name, argument] => (name, argument.parse().ok()?),
        _ => return None,
    };
    Some(Step::Call { name: (*name).to_owned(), argument, result })
}

fn segment(words: &[&str]) -> Option<Segment> {
    let [flags, numbers, options @ ..] = words else { return None };
    let (number, length) = numbers.split_once('+').unwrap_or((numbers, "0"));
    let mut segment = Segment {
        flags: (*flags).to_owned(),
        number: number.parse().ok()?,
        length: length.parse().ok()?,
        ..Segment::default()
    };
    for option in options.chunks(2) {
        match option {
            ["ack", number] => segment.acknowledged = Some(number.parse().ok()?),
            ["win", window] => segment.window = Some(window.parse().ok()?),
            ["mss", size] => segment.mss = Some(size.parse().ok()?),
            _ => return None,
        }
    }
    flags.chars().all(|flag| "SFRA".contains(flag)).then_some(segment)
}

/// `20ms`, `3s`, `2h`.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|letter: char| !letter.is_ascii_digit())?;
    let count: u64 = text[..end].parse().ok()?;
    match &text[end..] {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "h" => Some(Duration::from_secs(count * 3600)),
        _ => None,
    }
}

#[test]
fn lines_mean_what_they_say() {
    let script = parse("# why\n\n< A 1+100 ack 7 win 50 # more\n1s..3s > FA 2\nread 5 -> end\n").unwrap();
    let segment = |flags: &str, number| Segment { flags: flags.to_owned(), number, ..Segment::default() };
    let peers = Segment { length: 100, acknowledged: Some(7), window: Some(50), ..segment("A", 1) };
    let when = Duration::from_secs(1)..=Duration::from_secs(3);
    let read = Step::Call { name: "read".to_owned(), argument: 5, result: Some("end".to_owned()) };
    assert_eq!(script.steps, [(3, Step::Peer(peers)), (4, Step::Ours(when, segment("FA", 2))), (5, read)]);
    for nonsense in ["< Q 1", "< A", "< A 1 ack", "> A x", "nothing for 3", "3s > A 1", "read 1 2", "read ->"]
    {
        assert!(parse(nonsense).unwrap_err().contains("line 1"), "{nonsense}");
    }
}
