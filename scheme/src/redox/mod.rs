//! Redox: the kernel's scheme socket, its namespaces, event queues and time handles.

pub(crate) mod client;
pub(crate) mod event_loop;
mod handles;
pub(crate) mod heir;
pub(crate) mod pipe;
mod registration;
mod server;

pub(crate) use server::Server;
