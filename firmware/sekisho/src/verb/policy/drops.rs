//! `sekisho policy drops`: what was refused of late, newest first, and how much each line has counted.

use std::process::ExitCode;

use model::drops::{Drops, Line, Refusal};
use model::part::Role;

use crate::cli::Ask;
use crate::failure::Failure;
use crate::output;
use crate::socket::client;

/// Says it.
///
/// # Errors
/// [`Failure::NoDaemon`].
pub async fn run(ask: &Ask) -> Result<ExitCode, Failure> {
    let drops: Drops = client::ask(&ask.socket, Role::Netd, "/drops").await?;
    if ask.json {
        output::print(&output::json(&drops));
    } else {
        words(&drops).iter().for_each(|line| output::print(line));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(drops: &Drops) -> Vec<String> {
    let refused: Vec<String> = drops.newest.iter().map(refusal).collect();
    let counted = drops.lines.iter().filter(|line| !line.accepts && line.packets > 0).map(count);
    let mut words =
        if refused.is_empty() { vec!["Nothing was refused of late.".to_owned()] } else { refused };
    let since = drops.counted_since.map_or_else(|| "it was loaded".to_owned(), |at| at.to_string());
    words.push(format!("Refused by each line since {since}:"));
    words.extend(counted);
    words.extend((drops.lost > 0).then(|| format!("{} of the kernel's messages were lost.", drops.lost)));
    words.extend(drops.deaf.as_ref().map(|why| format!("Refusals are not heard: {why}")));
    words
}

fn refusal(refusal: &Refusal) -> String {
    let times = if refusal.times > 1 { format!(" ({} times)", refusal.times) } else { String::new() };
    format!("{}  {refusal}{times}: {} [{}]", refusal.at, refusal.says, refusal.rule)
}

fn count(line: &Line) -> String {
    format!("{:>10}  {} [{}]", line.packets, line.says, line.rule)
}
