//! Word from the kernel that somebody has changed the rules. It is a hint: looking is the truth. The kernel counts the
//! changes, so what was looked at since needs no other look.

use std::io;

use crate::netlink::{self, Message, Socket, Subsystem, attribute, messages};

/// NFNLGRP_NFTABLES, as a mask.
const GROUP: u32 = 1 << 6;
/// NFT_MSG_NEWGEN: a change was made as a whole. It has the change's number, and names who made it.
const GENERATION: u8 = 15;
const NUMBER: u16 = 1;
const PROCESS: u16 = 2;
const PROGRAM: u16 = 3;

/// A change, or some that came together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Who made the last one, if the kernel says so.
    pub(crate) author: Option<String>,
    /// The number of the last one; none if it is not known which.
    pub(crate) number: Option<u32>,
}

/// The kernel's notices of changes.
pub(crate) struct Notices(Socket);

impl Notices {
    /// Begins to hear them. Needs CAP_NET_ADMIN.
    ///
    /// # Errors
    /// The kernel's word.
    pub(crate) fn open() -> io::Result<Self> {
        Socket::open(GROUP).map(Self)
    }

    /// Waits for the next change. Notices that were lost are one, too. What is told of a change before its number comes
    /// with it.
    ///
    /// # Errors
    /// The kernel's word.
    pub(crate) async fn next(&mut self) -> io::Result<Change> {
        loop {
            match self.0.receive().await {
                Ok(datagram) => {
                    let author = messages(datagram).filter_map(|message| author(&message)).last();
                    let number = messages(datagram).filter_map(|message| number(&message)).last();
                    if number.is_some() {
                        return Ok(Change { author, number });
                    }
                }
                Err(error) if netlink::is_loss(&error) => return Ok(Change::default()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The number of the change that the message tells of; the kernel counts them.
pub(crate) fn number(message: &Message<'_>) -> Option<u32> {
    let number =
        attribute(message.attributes(), NUMBER).filter(|_| message.is(Subsystem::Tables, GENERATION))?;
    Some(u32::from_be_bytes(*number.first_chunk()?))
}

/// "nft (process 1234)": a program's own name for itself, which need not be true.
fn author(message: &Message<'_>) -> Option<String> {
    if !message.is(Subsystem::Tables, GENERATION) {
        return None;
    }
    let process = u32::from_be_bytes(*attribute(message.attributes(), PROCESS)?.first_chunk()?);
    let name = attribute(message.attributes(), PROGRAM)?.split(|byte| *byte == 0).next()?;
    let name: String = String::from_utf8_lossy(name).escape_debug().collect();
    Some(format!("{name} (process {process})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::{request, write};

    #[test]
    fn who_made_a_change_is_said_without_anything_that_is_no_text() {
        let content =
            [write(1, &[0, 0, 1, 2]), write(PROCESS, &7_u32.to_be_bytes()), write(PROGRAM, b"n\x1b[ft\0")];
        let datagram = [
            request(Subsystem::Tables, 6, 0, 1, 0, &[]),
            request(Subsystem::Tables, GENERATION, 0, 0, 0, &content),
        ]
        .concat();
        let said: Vec<_> = messages(&datagram).filter_map(|message| author(&message)).collect();
        assert_eq!(said, [r"n\u{1b}[ft (process 7)"]);
        let numbers: Vec<_> = messages(&datagram).filter_map(|message| number(&message)).collect();
        assert_eq!(numbers, [258]);
    }
}
