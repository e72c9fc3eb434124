//! What a NIC is asked for itself: to test itself, to tell what its EEPROM holds, to show which one it is. Its driver
//! answers.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};

use serde_json::json;

use super::{Answer, driver};
use crate::node::{Failure, Node};
use crate::table::titled;

/// Bytes in a line.
const LINE: usize = 16;

/// Has the NIC test itself, and shows what was found. It fails if something failed.
pub fn test(interface: &str, json: bool) -> Result<(), Failure> {
    write(interface, "selftest", "run\n")?;
    let results = Node::read(driver::file(&driver::of(interface)?, "selftest"))?;
    let rows: Vec<_> = results.fields().map(|(name, result)| [name.to_owned(), result.to_owned()]).collect();
    let passed = rows.iter().all(|[_, result]| result.starts_with("pass"));
    let fields: serde_json::Map<_, _> =
        results.fields().map(|(name, result)| (name.to_owned(), result.into())).collect();
    Answer { text: titled(["TEST", "RESULT"], rows), json: fields.into() }.show(json)?;
    match passed {
        true => Ok(()),
        false => Err(Failure::Missing(format!("{interface} has failed its self test"))),
    }
}

/// What the EEPROM holds.
pub fn eeprom(interface: &str) -> Result<Answer, Failure> {
    let bytes = read(interface, "eeprom")?;
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
    let lines = bytes.chunks(LINE).enumerate();
    let text = lines.map(|(number, line)| format!("{:04x} {}\n", number * LINE, hexadecimal(line))).collect();
    Ok(Answer { text, json: json!({ "bytes": bytes }) })
}

/// Has the NIC's LED show which one it is.
pub fn identify(interface: &str, seconds: u32) -> Result<(), Failure> {
    write(interface, "identify", &format!("{seconds}\n"))
}

/// What a file of the driver's says.
pub fn read(interface: &str, name: &str) -> Result<Vec<u8>, Failure> {
    let driver = driver::of(interface)?;
    let path = driver::file(&driver, name);
    fs::read(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::Unsupported => driver::lacks(interface, &driver, name),
        ErrorKind::PermissionDenied => Failure::NotRoot { path },
        _ => Failure::Read { path, source },
    })
}

/// Writes a file of the driver's.
pub fn write(interface: &str, name: &str, text: &str) -> Result<(), Failure> {
    let driver = driver::of(interface)?;
    let path = driver::file(&driver, name);
    let written =
        File::options().write(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::Unsupported => driver::lacks(interface, &driver, name),
        ErrorKind::PermissionDenied => Failure::NotRoot { path },
        ErrorKind::InvalidInput => Failure::Refused {
            reason: format!("the driver, {driver}, refuses `{}` for `{name}`: its log says why", text.trim()),
        },
        _ => Failure::Write { path, source },
    })
}
