//! The disk image: Debian packages and our binary in, a signed disk out; and onto a disk with it.
//!
//! Read [`build`] from top to bottom to see an image made, [`flash`] to see one written.

pub mod accounts;
pub mod archive;
pub mod build;
pub mod cli;
pub mod digest;
pub mod elf;
pub mod error;
pub mod flash;
pub mod list;
pub mod modules;
pub mod pattern;
pub mod place;
pub mod promise;
pub mod report;
pub mod reproduce;
pub mod room;
pub mod say;
pub mod step;
pub mod tool;
