//! The page with made-up snapshots, one port each, to be looked at: `cargo run -p web-ui --example gallery`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use model::boot::Situation;
use tokio::sync::watch;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let identity = std::env::temp_dir().join(format!("sekisho-gallery-{}", std::process::id()));
    let mut pages = JoinSet::new();
    let mut kept = Vec::new();
    for (name, snapshot) in samples::all().into_iter().chain(more()).chain(samples::maintenance()) {
        let any = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (http, https) = (any()?, any()?);
        let (plain, secure) = (http.local_addr()?, https.local_addr()?);
        writeln!(std::io::stdout().lock(), "{name:12} http://{plain}/  https://{secure}/")?;
        let config = web_ui::Config { identity_dir: identity.clone(), site: samples::site() };
        let listeners = web_ui::Listeners::new(&config, http, https)?;
        let (sender, receiver) = watch::channel(Arc::new(snapshot));
        kept.push(sender);
        let (wanted, intents) = tokio::sync::mpsc::channel(8);
        tokio::spawn(answer(intents));
        pages.spawn(web_ui::serve(listeners, receiver, web_ui::Intents::new(wanted), samples::now));
    }
    for situation in [Situation::Carton, Situation::Closed] {
        let https = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        writeln!(std::io::stdout().lock(), "{:12} https://{}/", situation.key(), https.local_addr()?)?;
        let listeners = web_ui::Listeners::setup(&identity, https)?;
        let notices = model::notice::examples();
        let told = notices.into_iter().filter(|one| one.is_of_a_stick() == (situation == Situation::Carton));
        let snapshot = samples::booted(situation, told.collect());
        let (sender, receiver) = watch::channel(Arc::new(snapshot));
        kept.push(sender);
        pages.spawn(web_ui::serve(listeners, receiver, nobody(), samples::now));
    }
    tokio::signal::ctrl_c().await?;
    Ok(std::fs::remove_dir_all(identity)?)
}

/// Samples that one of the further views needs.
fn more() -> [(&'static str, model::part::Snapshot); 3] {
    [("remembered", samples::remembered()), ("proved", samples::proved()), ("drifted", samples::drifted())]
}

/// Answers what is asked of the firewall, always the same: an odd port is a mistake.
async fn answer(mut intents: tokio::sync::mpsc::Receiver<web_ui::Intent>) {
    while let Some(intent) = intents.recv().await {
        match intent {
            web_ui::Intent::Check => {}
            web_ui::Intent::Policy(reply) => drop(reply.send(samples::policy())),
            web_ui::Intent::Explain(question, reply) => {
                let right = question.dport == "445";
                drop(reply.send(if right { samples::explained() } else { samples::mistaken() }));
            }
        }
    }
}

/// Nobody acts on what a visitor wants.
fn nobody() -> web_ui::Intents {
    web_ui::Intents::new(tokio::sync::mpsc::channel(1).0)
}
