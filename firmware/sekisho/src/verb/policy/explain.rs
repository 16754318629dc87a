//! `sekisho policy explain`: what becomes of one packet, on paper or in the running box.

use std::process::ExitCode;

use model::part::Role;
use model::policy::{Answer, Explanation, Mistake, Question};

use crate::cli::Explain;
use crate::failure::{Failure, code};
use crate::output;
use crate::socket::client;

/// Answers.
///
/// # Errors
/// A site file or ruleset that is not right; no daemon with `--live`.
pub async fn run(args: Box<Explain>) -> Result<ExitCode, Failure> {
    let question = question(&args);
    let answer = match &args.site {
        Some(site) => {
            let (site, document) = super::planned(site, args.ruleset.as_deref())?;
            firewall::answer(&site, &document, &question, false)
        }
        None => client::order(&args.socket, Role::Netd, "/explain", &question).await?,
    };
    if args.json {
        output::print(&output::json(&answer));
    }
    Ok(say(&answer, args.json))
}

fn question(args: &Explain) -> Question {
    Question {
        from: args.from.clone(),
        port: args.port.clone(),
        to: args.to.clone(),
        src: args.src.clone(),
        dst: args.dst.clone(),
        proto: args.proto.clone(),
        dport: args.dport.clone(),
        sport: args.sport.clone(),
        icmp_type: args.icmp_type.clone(),
        state: args.state.clone(),
    }
}

fn say(answer: &Answer, json: bool) -> ExitCode {
    match answer {
        Answer::Told(told) => {
            if !json {
                output::print(&text(told));
            }
            if told.passes { ExitCode::SUCCESS } else { ExitCode::from(code::NO) }
        }
        Answer::Wrong { mistakes } => {
            output::error(&wrong(mistakes));
            ExitCode::from(code::USAGE)
        }
        Answer::Unclear { reason } => {
            output::error(&format!("sekisho: nothing can be said: {}", output::plain(reason)));
            ExitCode::from(code::TEMPFAIL)
        }
    }
}

fn wrong(mistakes: &[Mistake]) -> String {
    let noun = if mistakes.len() == 1 { "mistake" } else { "mistakes" };
    let each = mistakes.iter().map(|one| format!("\n--{}: {}", one.field, output::plain(&one.says.en)));
    format!("sekisho: {} {noun}{}", mistakes.len(), each.collect::<String>())
}

fn text(told: &Explanation) -> String {
    let verdict = if told.passes { "passes" } else { "is refused" };
    let held = if told.live { "what the kernel holds" } else { "what is planned" };
    let stop = |stop: &model::policy::Stop| match &stop.by {
        Some(by) => format!("{} (by {by})", stop.chain),
        None => stop.chain.clone(),
    };
    let way = told.way.iter().map(stop).collect::<Vec<_>>().join(" → ");
    let mut lines = vec![format!("packet  {}", told.packet.en), format!("verdict {verdict}, by {held}")];
    if let Some(line) = &told.line {
        lines.push(format!("line    {}", line.says.en));
        lines.push(format!("rule    {}: {}", line.id, told.rule));
    } else {
        lines.push(format!("rule    {}", told.rule));
    }
    lines.push(format!("way     {way}"));
    lines.iter().map(|line| output::plain(line)).collect::<Vec<_>>().join("\n")
}
