//! The kernel's node numbers, and the paths of the scheme that they stand for.

use std::collections::HashMap;

use super::abi::ROOT_NODE;
use crate::errno::ESTALE;
use crate::{Error, Result};

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A path of the scheme; the root's is empty.
    Path(String),
    /// The scheme's root, opened like a file.
    RootFile,
    /// A handle made by `dup`, until it is opened.
    Unclaimed { token: u64 },
    /// A handle made by `dup`, open.
    Handle(usize),
    /// A handle made by `dup`, closed again.
    Released,
}

impl Target {
    /// The path that the scheme opens for this node.
    pub(super) fn path(&self) -> Result<&str> {
        match self {
            Self::Path(path) => Ok(path),
            Self::RootFile => Ok(""),
            Self::Unclaimed { .. } | Self::Handle(_) | Self::Released => Err(Error::new(ESTALE)),
        }
    }
}

/// The nodes that the kernel knows. There are as many as it has looked up and not forgotten.
///
/// A directory keeps its number from lookup to lookup. A file gets a new one each time: Linux lets nobody
/// write to an inode while somebody's write to it waits, and two connections to one address are two things.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: HashMap<u64, Node>,
    directories: HashMap<String, u64>,
    last: u64,
}

#[derive(Debug)]
struct Node {
    target: Target,
    /// The name under which this directory is found again.
    directory: Option<String>,
    lookups: u64,
}

impl Nodes {
    /// The root alone.
    pub(super) fn new() -> Self {
        let root = Node { target: Target::Path(String::new()), directory: None, lookups: 0 };
        Self { nodes: HashMap::from([(ROOT_NODE, root)]), directories: HashMap::new(), last: ROOT_NODE }
    }

    /// What node `id` is.
    pub(super) fn get(&self, id: u64) -> Result<&Target> {
        self.nodes.get(&id).map(|node| &node.target).ok_or(Error::new(ESTALE))
    }

    /// Counts a lookup of a file, and gives its number.
    pub(super) fn add_file(&mut self, target: Target) -> u64 {
        self.add(Node { target, directory: None, lookups: 1 })
    }

    /// Counts a lookup of the directory `path`, found as `name` in `parent`, and gives its number.
    pub(super) fn add_directory(&mut self, parent: u64, name: &str, path: String) -> u64 {
        let key = format!("{parent}/{name}");
        let known = self.directories.get(&key).copied();
        if let Some((id, node)) = known.and_then(|id| Some((id, self.nodes.get_mut(&id)?))) {
            node.lookups = node.lookups.saturating_add(1);
            return id;
        }
        let node = Node { target: Target::Path(path), directory: Some(key.clone()), lookups: 1 };
        let id = self.add(node);
        self.directories.insert(key, id);
        id
    }

    /// Turns the node of an unclaimed handle into that of an open one.
    pub(super) fn claim(&mut self, id: u64, handle: usize) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.target = Target::Handle(handle);
        }
    }

    /// Whether `id` was found as a directory.
    pub(super) fn is_directory(&self, id: u64) -> bool {
        id == ROOT_NODE || self.nodes.get(&id).is_some_and(|node| node.directory.is_some())
    }

    /// Forgets the handle of a node that is no longer open.
    pub(super) fn release(&mut self, id: u64) {
        if let Some(node) = self.nodes.get_mut(&id).filter(|node| matches!(node.target, Target::Handle(_))) {
            node.target = Target::Released;
        }
    }

    /// Takes back `lookups` lookups; with the last, the node goes. The root stays.
    pub(super) fn forget(&mut self, id: u64, lookups: u64) {
        let Some(node) = self.nodes.get_mut(&id).filter(|_| id != ROOT_NODE) else { return };
        node.lookups = node.lookups.saturating_sub(lookups);
        if node.lookups == 0 {
            let directory = self.nodes.remove(&id).and_then(|node| node.directory);
            directory.map(|key| self.directories.remove(&key));
        }
    }

    fn add(&mut self, node: Node) -> u64 {
        self.last += 1;
        self.nodes.insert(self.last, node);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::{Nodes, ROOT_NODE, Target};

    #[test]
    fn a_directory_is_one_node_until_its_last_lookup_is_forgotten() {
        let mut nodes = Nodes::new();
        let first = nodes.add_directory(ROOT_NODE, "ifaces", "ifaces".to_owned());
        let second = nodes.add_directory(ROOT_NODE, "ifaces", "ifaces".to_owned());
        assert_eq!(first, second);
        nodes.forget(first, 1);
        assert_eq!(nodes.get(first).unwrap().path().unwrap(), "ifaces");
        nodes.forget(first, 1);
        assert!(nodes.get(first).is_err());
        let third = nodes.add_directory(ROOT_NODE, "ifaces", "ifaces".to_owned());
        assert_ne!(third, first);
    }

    #[test]
    fn each_lookup_of_a_file_is_a_node() {
        let mut nodes = Nodes::new();
        let file = || Target::Path("10.0.2.2:80".to_owned());
        let (first, second) = (nodes.add_file(file()), nodes.add_file(file()));
        assert_ne!(first, second);
        nodes.forget(first, u64::MAX);
        assert!(nodes.get(first).is_err());
        assert_eq!(nodes.get(second).unwrap(), &file());
    }

    #[test]
    fn the_root_is_never_forgotten() {
        let mut nodes = Nodes::new();
        nodes.forget(ROOT_NODE, 1000);
        assert_eq!(nodes.get(ROOT_NODE).unwrap().path().unwrap(), "");
    }
}
