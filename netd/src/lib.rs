//! The stack and its schemes.
