//! A FUSE file system's place in the tree.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};

use crate::ServeError;

/// How long a mount that is found in place may take to show that somebody serves it.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(2);

/// A mount, undone when dropped.
#[derive(Debug)]
pub(super) struct Mount {
    place: PathBuf,
}

impl Mount {
    /// Mounts scheme `name`, and gives the device to serve it by.
    pub(super) fn new(name: &str) -> Result<(Self, OwnedFd), ServeError> {
        let failure = |action| move |source| ServeError::System { action, name: name.to_owned(), source };
        if name.is_empty() || name.contains(['/', '\0', '%']) || name == "." || name == ".." {
            return Err(failure("use the name")(io::ErrorKind::InvalidInput.into()));
        }
        let device = open_device().map_err(failure("open /dev/fuse (is the module fuse loaded?)"))?;
        let place = mount_point(name).map_err(failure("create a mount point"))?;
        attach(&device, &place).map_err(failure("mount (as root) a FUSE file system"))?;
        Ok((Self { place }, device))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(error) = rustix::mount::unmount(&self.place, UnmountFlags::DETACH) {
            log::warn!("cannot unmount {}: {error}", self.place.display());
        }
        // A name without a server should not be listed; whoever put something there may keep it.
        let _ = fs::remove_dir(&self.place);
    }
}

/// An empty directory for scheme `name`, with nothing mounted there.
fn mount_point(name: &str) -> io::Result<PathBuf> {
    let root = crate::root();
    fs::create_dir_all(&root)?;
    // The list of mounts has no symbolic links in its paths.
    let place = root.canonicalize()?.join(name);
    clear(&place)?;
    fs::create_dir_all(&place)?;
    Ok(place)
}

fn open_device() -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(rustix::fs::open("/dev/fuse", flags, Mode::empty())?)
}

/// Mounts without `default_permissions`: the scheme itself decides who may open what.
fn attach(device: &OwnedFd, place: &Path) -> io::Result<()> {
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
    let options = std::ffi::CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    Ok(rustix::mount::mount("scheme", place, "fuse.scheme", flags, options.as_c_str())?)
}

/// Undoes mounts that dead servers left at `place`; fails with `EEXIST` if a live one is there.
fn clear(place: &Path) -> io::Result<()> {
    while is_mounted(place)? {
        if answers(place) {
            return Err(Errno::EXIST.into());
        }
        log::info!("{} was left behind by a server that died: unmounting it", place.display());
        rustix::mount::unmount(place, UnmountFlags::DETACH)?;
    }
    Ok(())
}

fn is_mounted(place: &Path) -> io::Result<bool> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    // The fifth field is the mount point, with blanks as octal escapes.
    let place = place.to_string_lossy().replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011");
    Ok(mounts.lines().any(|line| line.split(' ').nth(4) == Some(place.as_str())))
}

/// Whether somebody serves the mount at `place`. One who does not answer in time is taken for alive, since
/// nothing shows that he is dead. Asking may block, so a thread does; it ends with the answer.
fn answers(place: &Path) -> bool {
    let (sender, receiver) = mpsc::channel();
    let place = place.to_owned();
    thread::spawn(move || sender.send(rustix::fs::statfs(&place).err()));
    receiver.recv_timeout(LIVENESS_TIMEOUT) != Ok(Some(Errno::NOTCONN))
}
