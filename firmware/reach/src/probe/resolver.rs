//! A resolver answers. That the centre's name does not exist is an answer too, and the centre's own rung says so.
//!
//! It is asked by UDP, as everybody asks it, and that decides. Whether it answers by TCP too is said beside it and is no
//! fault: nobody feels the want of it while answers fit a datagram.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dns::{Answer, Question};
use crate::finding::{self, Finding};
use crate::names::{self, DNS, Reply};
use crate::plan::Plan;

/// What decides nothing is not waited for as long as what does.
const TCP_PATIENCE: Duration = Duration::from_millis(500);

/// Asks this resolver, and no other, for the centre's name.
pub async fn probe(plan: &Plan, resolver: IpAddr) -> Finding {
    let (by_udp, by_tcp) = tokio::join!(names::ask(plan, resolver, &plan.centre.name), tcp(plan, resolver));
    let finding = match by_udp {
        Ok(Reply::Addresses(_)) => Finding::good(resolver.to_string()),
        Ok(Reply::Missing) => Finding::good(format!("{resolver}: has no {}", plan.centre.name)),
        Err(finding) => finding,
    };
    Finding { detail: finding::harmless(&format!("{}; TCP: {by_tcp}", finding.detail)), ..finding }
}

/// What it says by TCP (RFC 7766), in a few words.
async fn tcp(plan: &Plan, resolver: IpAddr) -> String {
    match timeout(TCP_PATIENCE, exchange(plan, resolver)).await {
        Ok(Ok(())) => "answers".to_owned(),
        Ok(Err(why)) => why,
        Err(_) => "no answer".to_owned(),
    }
}

async fn exchange(plan: &Plan, resolver: IpAddr) -> Result<(), String> {
    let question = Question::new(&plan.centre.name, plan.ipv4)?;
    let failed = |error: std::io::Error| error.kind().to_string();
    let mut stream = TcpStream::connect(SocketAddr::from((resolver, DNS))).await.map_err(failed)?;
    let length = u16::try_from(question.bytes.len()).map_err(|error| error.to_string())?;
    // In one piece, with its length before it (RFC 1035 section 4.2.2).
    let message = [&length.to_be_bytes()[..], &question.bytes].concat();
    stream.write_all(&message).await.map_err(failed)?;
    let mut answer = vec![0; usize::from(stream.read_u16().await.map_err(failed)?)];
    stream.read_exact(&mut answer).await.map_err(failed)?;
    match question.answer(&answer) {
        Answer::Foreign | Answer::Malformed(_) => Err("malformed".to_owned()),
        Answer::Addresses(_) | Answer::Missing => Ok(()),
        Answer::Failed(code) => Err(code),
    }
}
