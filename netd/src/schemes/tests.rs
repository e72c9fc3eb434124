//! The schemes called as their server calls them.
