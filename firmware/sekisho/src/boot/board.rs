//! `sekisho boot board`: gives the ports their names, before udev sees them.

use board::file::{Board, Found, find, shipped};

use super::Places;
use super::machine::Hardware;
use crate::failure::Failure;
use crate::{generate, output, verb};

/// Writes a `.link` file for every port of this board; none if this is no known board, or several.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn run(places: &Places) -> Result<(), Failure> {
    let hardware = Hardware::read(&places.sys);
    let boards = boards();
    match find(&boards, &hardware.machine) {
        Found::One(board) => {
            verb::generate::write(&places.network(), &generate::board(board))?;
            output::print(&format!("this is the board {}", board.name));
        }
        Found::None => output::error("no board file is this machine's: every port stays closed"),
        Found::Several(names) => output::error(&format!(
            "several board files are this machine's ({}): every port stays closed",
            names.join(", ")
        )),
    }
    Ok(())
}

/// The boards of this binary.
pub fn boards() -> Vec<Board> {
    // A test sees to it that the shipped ones are right; with a wrong one the box knows no board and stays closed.
    shipped().unwrap_or_default()
}
