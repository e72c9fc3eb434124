//! A script inside Redox: what is put into the image so that its init runs it.

use std::path::Path;

use super::install::{self, Item, PLAIN, PROGRAM};
use crate::Result;

/// The program that runs it, as `./x redox build` makes it.
const RUNNER: &str = "script-runner";

/// Where all of it goes.
const FOLDER: &str = "/usr/lib/netd-script";

/// Where the runner is, which without arguments ends at once.
const RUNNER_PATH: &str = "/usr/lib/netd-script/script-runner";

/// The kernel's serial line, without a copy in its log.
const CONSOLE: &str = "/scheme/debug/no-preserve";

/// The files for a script: itself, its runner from the folder `programs`, and the unit that starts them once the
/// network stack is ready.
pub fn items(script: &[u8], programs: &Path) -> Result<Vec<Item>> {
    let unit = format!(
        "[unit]\ndescription = \"A script of the test bed\"\nrequires_weak = [\"10_smolnetd.service\"]\n\n\
         [service]\ncmd = \"{RUNNER_PATH}\"\nargs = [\"{FOLDER}/script\", \"{CONSOLE}\"]\n\
         type = \"oneshot_async\"\n"
    );
    Ok(vec![
        Item::new(RUNNER_PATH, PROGRAM, install::program(programs, RUNNER)?),
        Item::new(&format!("{FOLDER}/script"), PLAIN, script.to_owned()),
        Item::new("/usr/lib/init.d/99_netd_script.service", PLAIN, unit.into_bytes()),
    ])
}

/// A unit that does nothing, in the place of the one of this name.
pub fn idle_unit(name: &str) -> Item {
    let unit = format!(
        "[unit]\ndescription = \"Nothing\"\n\n[service]\ncmd = \"{RUNNER_PATH}\"\ntype = \"oneshot\"\n"
    );
    Item {
        path: format!("/usr/lib/init.d/{name}"),
        shadow: Some(format!("/etc/init.d/{name}")),
        mode: PLAIN,
        content: unit.into_bytes(),
    }
}

/// A program at `path` that ends at once and not well: the runner, which does so where it is not told what to run.
pub fn ends_at_once(path: &str, programs: &Path) -> Result<Item> {
    Ok(Item::new(path, PROGRAM, install::program(programs, RUNNER)?))
}
