//! One file a verb.

pub mod audit;
pub mod check;
pub mod console;
pub mod generate;
pub mod history;
pub mod policy;
pub mod relay;
mod selftest;
pub mod site;
pub mod status;
pub mod words;
