//! `sekisho relay selftest`: what a terminal's share does of what the relay rests on. The relay tries it, which alone
//! holds the share's login.

use std::process::ExitCode;

use model::Language;
use model::part::Role;
use model::selftest::{Ask, Check, Seen, SelfTest};

use super::words;
use crate::cli::Selftest;
use crate::failure::{Failure, code};
use crate::output;
use crate::socket::client;

/// Tries it and prints a table.
///
/// # Errors
/// [`Failure::NoDaemon`] if `relayd` does not answer.
pub async fn run(args: &Selftest) -> Result<ExitCode, Failure> {
    if args.attended > 0 {
        output::error(&format!(
            "within {} s, on the terminal, in the shared folder (PowerShell):\n  \
             $f = [IO.File]::Open(\"$PWD\\sekisho-staging\\selftest\\held\", 'Open', 'ReadWrite', 'None'); sleep 5; $f.Close()",
            args.attended
        ));
    }
    let ask = Ask { terminal: args.terminal.clone().flatten(), attended_s: args.attended };
    let tested: Vec<SelfTest> = client::order(&args.socket, Role::Relayd, "/selftest", &ask).await?;
    if args.json {
        output::print(&output::json(&tested));
    } else {
        tested.iter().for_each(|one| output::print(&table(one, words::language())));
    }
    if tested.is_empty() {
        output::error("the site file has no terminal of this name");
        return Ok(ExitCode::from(code::DATA));
    }
    let good = tested.iter().flat_map(|one| &one.checks).all(|check| check.seen != Seen::Not);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(code::NO) })
}

fn table(tested: &SelfTest, language: Language) -> String {
    if tested.checks.is_empty() {
        return format!("{}: a folder of this machine, nothing to try", tested.terminal);
    }
    let rows = tested.checks.iter().map(|check| row(check, language));
    std::iter::once(format!("{}:", tested.terminal)).chain(rows).collect::<Vec<_>>().join("\n")
}

fn row(check: &Check, language: Language) -> String {
    let row =
        format!("  {:<7} {:<10} {}", check.seen.word(), check.what.key(), output::plain(&check.evidence));
    if check.seen == Seen::Not {
        return format!("{row}\n                     {}", check.what.means().get(language));
    }
    row
}

#[cfg(test)]
mod tests {
    use model::selftest::What;

    use super::*;

    #[test]
    fn what_is_not_so_is_said_with_its_meaning_and_what_was_not_tried_is_neither() {
        let check = |what, seen, evidence: &str| Check { what, seen, evidence: evidence.to_owned() };
        let checks = vec![
            check(What::Flush, Seen::Ok, "answered"),
            check(What::Hint, Seen::Not, "watch a folder: nothing"),
            check(What::InUse, Seen::Untried, "nobody was there"),
        ];
        let said = table(&SelfTest { terminal: "t1".to_owned(), checks }, Language::En);
        assert_eq!(
            said,
            "t1:\n  ok      flush      answered\n  not     hint       watch a folder: nothing\n                     \
             Changes are not told: four looks a second are left, and an answer may come 0.25 s later.\n  \
             untried in-use     nobody was there"
        );
    }
}
