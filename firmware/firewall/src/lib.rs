//! Site to plan to nft, and the proof of what it promises.
//!
//! site file → [`plan::Plan`] → nft JSON → [`prove`] → kernel → read back → [`prove`] again. [`explain`] says
//! what a ruleset does with one packet.

pub mod explain;
pub mod nft;
pub mod packet;
pub mod plan;
pub mod prove;

pub use plan::{Plan, compile_json, drop_all};
pub use prove::{Intent, prove};
