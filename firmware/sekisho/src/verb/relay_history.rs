//! `sekisho relay-history`: answers one question about the relay's history and ends. The relay runs it; see
//! `relay::HistoryBy`.

use std::path::Path;
use std::process::ExitCode;

use crate::failure::Failure;

/// Answers the question on standard input.
///
/// # Errors
/// [`Failure::Read`] if there is none, or nobody hears the answer.
pub fn run(folder: &Path) -> Result<ExitCode, Failure> {
    // It holds statistics: where memory runs out it goes before the relay does. Without that file it goes as others do.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let answered = relay::answer_about_history(folder, std::io::stdin().lock(), std::io::stdout().lock());
    answered.map_err(|source| Failure::Read { path: folder.to_owned(), source })?;
    Ok(ExitCode::SUCCESS)
}
