//! The configuration files' types.
