//! Answers on the line for the terminals' addresses, where line and terminals share one /64 (RFC 4389: who is asked on one side
//! asks the other side first). It also finds out which addresses those are, which nobody else can know beforehand.
//!
//! It reads what strangers send, so it holds no capability: its sockets are lent ([`Sockets`]).

pub mod message;
mod run;
mod sockets;
pub mod state;

pub use run::answer;
pub use sockets::Sockets;
