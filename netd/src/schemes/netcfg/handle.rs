//! An open file of the scheme, and the one change that its writer may make.

use config::netd::{Config, Panel, Setting};
use scheme::Error;
use smoltcp::time::Duration;

use super::command::Command;
use super::parse::Refusal;
use super::stream::Reader;
use super::tree::Node;
use crate::intent::Intent;
use crate::stack::{InterfaceId, Stack};

/// An open file.
pub struct Handle {
    /// Where it is in the tree, without slashes at its ends.
    pub path: String,
    /// What is there.
    pub node: Node,
    /// As it was opened, and as `F_SETFL` changed them.
    pub flags: usize,
    /// The text at the time of the open.
    pub snapshot: Vec<u8>,
    /// What was written and makes no change yet: an unfinished line, or a configuration.
    pub text: Vec<u8>,
    /// How far its change is.
    pub state: Writing,
    /// Somebody wants to be told when its file would read differently.
    pub is_watched: bool,
    /// Of a file without an end, unless it was opened to be looked at alone.
    pub reader: Option<Reader>,
}

impl Handle {
    /// Its change is not made, and whoever reads it now reads why.
    pub fn refuse(&mut self, refusal: Refusal) -> Error {
        let Refusal { errno, reason } = refusal;
        log::warn!("netcfg: {} was not taken: {reason}", self.path);
        self.state = Writing::Done;
        self.snapshot = format!("{reason}\n").into_bytes();
        Error::new(errno)
    }

    /// Whether its file would read differently now.
    pub fn is_outdated(&self, stack: &Stack, intent: &Intent) -> bool {
        match &self.node {
            Node::Leaf(leaf) => leaf.text(stack, intent).is_some_and(|text| text.as_bytes() != self.snapshot),
            Node::Directory(_) | Node::Stream(_) | Node::Document(_) => false,
        }
    }
}

/// A handle's one change, from its line to its commit.
pub enum Writing {
    /// Nothing whole yet.
    Open,
    /// What makes sense waits for the commit.
    Ready {
        /// Its first line.
        text: String,
        /// What it asks for.
        change: Change,
    },
    /// A driver was asked, and has not answered yet.
    Asked,
    /// A driver has answered: nothing, or why it refuses.
    Answered(Result<(), String>),
    /// Committed, or failed.
    Done,
}

/// What a handle can ask for.
pub enum Change {
    /// One thing.
    Command(Command),
    /// A setting of an interface's driver, which may refuse it.
    Setting(InterfaceId, (Panel, String, Setting)),
    /// All of it, for good or on trial.
    Config(Config, Option<Duration>),
}
