//! One file a verb.

pub mod audit;
pub mod check;
pub mod console;
pub mod generate;
pub mod history;
pub mod hold;
pub mod maintenance;
pub mod policy;
pub mod rehearse;
pub mod relay;
pub mod relay_history;
pub mod secret;
mod selftest;
pub mod session;
pub mod site;
pub mod status;
pub mod words;
