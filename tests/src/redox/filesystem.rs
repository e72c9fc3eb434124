//! A RedoxFS on a disk image, reached without mounting.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use redoxfs::{
    BLOCK_SIZE, DiskIo, FileSystem, HEADER_RING, Header, Node, SIGNATURE, TreeData, TreePtr, VERSION,
};
use rustix::io::Errno;

use super::partition;

/// How many blocks of a place are looked at for the file system's header, as redoxfs does.
const SEARCHED_BLOCKS: u64 = 65536;

/// Permissions of a folder that had to be made.
const FOLDER_MODE: u16 = 0o755;

/// Why a disk image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no RedoxFS.
    #[error(
        "there is no RedoxFS in it, neither in a partition nor bare; a Redox disk image is needed \
         (harddrive.img; unpack it if it is compressed)"
    )]
    Foreign,
    /// RedoxFS of another time.
    #[error(
        "its RedoxFS has version {0}, and only version {VERSION} is known here: take an image of Redox of 2026"
    )]
    Version(u64),
    /// There is a password.
    #[error("its RedoxFS is encrypted: take an image that was made without a password")]
    Encrypted,
    /// The headers do not fit together.
    #[error("its RedoxFS is damaged: no header has the right checksum and place")]
    Damaged,
    /// No room.
    #[error("its RedoxFS is full: {path} takes {} KiB, and {} KiB are free; enlarge it with redoxfs-resize", size / 1024, free / 1024)]
    Full {
        /// What did not fit.
        path: String,
        /// Its size, in bytes.
        size: u64,
        /// What is free, in bytes.
        free: u64,
    },
    /// Something else stands where a folder or file should.
    #[error("in it, {0} is no {1}")]
    Kind(String, &'static str),
    /// It has another init, or no network.
    #[error(
        "there is no {0} in its /usr/lib/init.d or /etc/init.d, whose place netd takes: a Redox with the network \
         stack is needed, of April 2026 or newer"
    )]
    NoNetwork(&'static str),
    /// redoxfs refused.
    #[error("cannot {0} {1} in it: {2}")]
    System(&'static str, String, io::Error),
    /// The host refused.
    #[error("cannot {0}: {1}")]
    Host(&'static str, io::Error),
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Added(String),
    /// It took another one's place.
    Replaced(String),
}

/// An open file system.
pub struct Volume {
    system: FileSystem<DiskIo<Place>>,
    /// The time that is written with each change, since 1970.
    now: Duration,
}

impl Volume {
    /// Finds and opens the file system on a disk.
    pub fn open(mut disk: File, now: Duration) -> Result<Self, Refusal> {
        let places = partition::places(&mut disk).map_err(|error| Refusal::Host("read it", error))?;
        for range in places {
            let mut place = Place::new(disk, range);
            if let Some(block) = find_header(&mut place)? {
                let system = FileSystem::open(DiskIo(place), None, Some(block), true).map_err(|error| {
                    match Errno::from_raw_os_error(error.errno) {
                        Errno::NOKEY => Refusal::Encrypted,
                        Errno::NOENT => Refusal::Damaged,
                        _ => refused("open", "the file system")(error.errno),
                    }
                })?;
                return Ok(Self { system, now });
            }
            disk = place.file;
        }
        Err(Refusal::Foreign)
    }

    /// Whether there is something at a path.
    pub fn exists(&mut self, path: &str) -> Result<bool, Refusal> {
        let Some((folders, name)) = split(path) else { return Ok(true) };
        let mut folder = TreePtr::root();
        for part in folders {
            match self.find(folder, part, path)? {
                Some(node) if node.data().is_dir() => folder = node.ptr(),
                _ => return Ok(false),
            }
        }
        Ok(self.find(folder, name, path)?.is_some())
    }

    /// A file's content.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, Refusal> {
        let (folder, name) = self.folder_of(path, false)?;
        let found = self.find(folder, name, path)?;
        let node = found.ok_or_else(|| refused("read", path)(Errno::NOENT.raw_os_error()))?;
        let mut content = vec![0; usize::try_from(node.data().size()).unwrap_or(usize::MAX)];
        let count = self
            .system
            .tx(|transaction| transaction.read_node(node.ptr(), 0, &mut content, 0, 0))
            .map_err(|error| refused("read", path)(error.errno))?;
        content.truncate(count);
        Ok(content)
    }

    /// Puts a file there, with its folders; one that is there is replaced. `mode` are its permissions.
    pub fn write(&mut self, path: &str, mode: u16, content: &[u8]) -> Result<Change, Refusal> {
        let (folder, name) = self.folder_of(path, true)?;
        let old = self.find(folder, name, path)?;
        if let Some(node) = &old {
            if node.data().is_dir() {
                return Err(Refusal::Kind(path.to_owned(), "file"));
            }
            let kind = node.data().mode() & Node::MODE_TYPE;
            // On its own, so that its room is free for the new one.
            self.system
                .tx(|transaction| transaction.remove_node(folder, name, kind))
                .map_err(|error| refused("replace", path)(error.errno))?;
        }
        self.create(folder, name, Node::MODE_FILE | mode, content).map_err(|errno| {
            if errno == Errno::NOSPC.raw_os_error() {
                let free = self.system.allocator().free() * BLOCK_SIZE;
                return Refusal::Full { path: path.to_owned(), size: content.len() as u64, free };
            }
            refused("write", path)(errno)
        })?;
        let change = if old.is_some() { Change::Replaced } else { Change::Added };
        Ok(change(path.to_owned()))
    }

    /// Leaves the file system as unmounting does.
    pub fn close(mut self) -> Result<(), Refusal> {
        self.system.cleanup().map_err(|error| refused("close", "the file system")(error.errno))
    }

    /// The folder of a path, made where it is not there if `make` says so, and the name in it.
    fn folder_of<'a>(&mut self, path: &'a str, make: bool) -> Result<(TreePtr<Node>, &'a str), Refusal> {
        let (folders, name) = split(path).ok_or_else(|| Refusal::Kind(path.to_owned(), "file"))?;
        let mut folder = TreePtr::root();
        for part in folders {
            folder = match self.find(folder, part, path)? {
                Some(node) if node.data().is_dir() => node.ptr(),
                Some(_) => return Err(Refusal::Kind(part.to_owned(), "folder")),
                None if make => self
                    .create(folder, part, Node::MODE_DIR | FOLDER_MODE, &[])
                    .map_err(refused("make the folder of", path))?,
                None => return Err(refused("find", path)(Errno::NOENT.raw_os_error())),
            };
        }
        Ok((folder, name))
    }

    fn find(
        &mut self,
        folder: TreePtr<Node>,
        name: &str,
        path: &str,
    ) -> Result<Option<TreeData<Node>>, Refusal> {
        match self.system.tx(|transaction| transaction.find_node(folder, name)) {
            Ok(node) => Ok(Some(node)),
            Err(error) if error.errno == Errno::NOENT.raw_os_error() => Ok(None),
            Err(error) => Err(refused("find", path)(error.errno)),
        }
    }

    /// Makes a file or folder; fails with redoxfs' error number.
    fn create(
        &mut self,
        folder: TreePtr<Node>,
        name: &str,
        mode: u16,
        content: &[u8],
    ) -> Result<TreePtr<Node>, i32> {
        let (seconds, nanoseconds) = (self.now.as_secs(), self.now.subsec_nanos());
        let make = |transaction: &mut redoxfs::Transaction<_>| {
            let node = transaction.create_node(folder, name, mode, seconds, nanoseconds)?.ptr();
            if !content.is_empty() {
                transaction.write_node(node, 0, content, seconds, nanoseconds)?;
            }
            Ok(node)
        };
        self.system.tx(make).map_err(|error| error.errno)
    }
}

/// A path's folders and its name; none for the root.
fn split(path: &str) -> Option<(Vec<&str>, &str)> {
    let mut parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let name = parts.pop()?;
    Some((parts, name))
}

fn refused(action: &'static str, path: &str) -> impl Fn(i32) -> Refusal {
    let path = path.to_owned();
    move |errno| Refusal::System(action, path.clone(), io::Error::from_raw_os_error(errno))
}

/// The block of the first header in a place; none where there is no RedoxFS.
fn find_header(place: &mut Place) -> Result<Option<u64>, Refusal> {
    let mut found = None;
    let mut header = Header::default();
    for block in 0..SEARCHED_BLOCKS.min((place.range.end - place.range.start) / BLOCK_SIZE) {
        place
            .seek(SeekFrom::Start(block * BLOCK_SIZE))
            .and_then(|_| place.read_exact(&mut header))
            .map_err(|error| Refusal::Host("read it", error))?;
        if header.signature != *SIGNATURE {
            continue;
        }
        // A header tells its own place in the ring.
        if header.valid() && header.generation() % HEADER_RING <= block {
            return Ok(Some(block));
        }
        let version = header.version.to_ne();
        found = Some(if version == VERSION { Refusal::Damaged } else { Refusal::Version(version) });
    }
    found.map_or(Ok(None), Err)
}

/// A part of a disk, in bytes.
pub struct Place {
    file: File,
    range: Range<u64>,
    position: u64,
}

impl Place {
    /// The part `range`, from its beginning.
    pub fn new(file: File, range: Range<u64>) -> Self {
        Self { file, range, position: 0 }
    }

    /// Where on the disk the next bytes are, and how many of `count` are within.
    fn next(&self, count: usize) -> (u64, usize) {
        let left = (self.range.end - self.range.start).saturating_sub(self.position);
        (self.range.start + self.position, count.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (offset, count) = self.next(buffer.len());
        self.file.read_exact_at(&mut buffer[..count], offset)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (offset, count) = self.next(bytes.len());
        self.file.write_all_at(&bytes[..count], offset)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Place {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let size = self.range.end - self.range.start;
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
