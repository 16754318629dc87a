//! charon over vici, by rsvici. Thin: what is said is made in `connection.rs` and understood in `said.rs`.
//!
//! rsvici may cut a message in two when a request goes out while one comes in, and spins after the end of its stream.
//! So every command has a connection of its own and ends with it, and whoever listens does nothing else and drops the
//! connection at its first error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::{FutureExt as _, StreamExt as _};
use model::tunnel::Trouble;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::charon::Purpose;
use crate::connection::Connection;
use crate::error::Error;
use crate::keep::Standing;
use crate::said::Said;

/// What proves who we are, in the form that vici takes.
#[derive(Clone)]
pub enum Secret {
    /// A shared key, and the two identities it is for.
    Psk {
        /// The key.
        key: String,
        /// Whose.
        owners: [String; 2],
    },
    /// A private key, PEM.
    Key(String),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Psk { .. } => "Psk",
            Self::Key(_) => "Key",
        })
    }
}

/// A charon, by its socket.
#[derive(Clone, Debug)]
pub struct Vici {
    socket: PathBuf,
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    errmsg: Option<String>,
}

#[derive(Serialize)]
struct Shared<'s> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: &'s str,
    owners: &'s [String],
}

#[derive(Serialize)]
struct Key<'s> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: &'s str,
}

#[derive(Serialize)]
struct Call<'c> {
    child: &'c str,
    ike: &'c str,
    timeout: &'static str,
    loglevel: &'static str,
}

#[derive(Serialize)]
struct End<'e> {
    ike: &'e str,
    force: bool,
    timeout: &'static str,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    msg: String,
}

#[derive(Serialize)]
struct Nothing {}

/// An event whose content does not matter: looking is the truth.
#[derive(Deserialize)]
struct Something {}

/// One IKE_SA of `list-sas`; what else stands there is left alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ike {
    state: String,
    local_host: String,
    remote_host: String,
    #[serde(default)]
    local_vips: Vec<String>,
    #[serde(default)]
    child_sas: BTreeMap<String, Child>,
}

#[derive(Debug, Deserialize)]
struct Child {
    state: String,
}

/// charon gives up by itself (`retransmit_tries`); this is for one that does not, milliseconds.
const PATIENCE_MS: &str = "60000";

/// What begins and ends tunnels.
const EVENTS: [&str; 2] = ["ike-updown", "child-updown"];

impl Vici {
    /// The charon at this socket. Nothing is opened yet.
    pub fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Where it is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    async fn client(&self) -> Result<rsvici::Client, Error> {
        let opened = rsvici::unix::connect(&self.socket).await;
        opened.map_err(|source| Error::Socket { path: self.socket.clone(), source })
    }

    async fn command(&self, name: &'static str, message: impl Serialize) -> Result<(), Error> {
        let failed = |reason: String| Error::Charon { what: name, reason };
        let mut client = self.client().await?;
        let mut errors = pin!(client.listen_for_errors());
        let asked = client.request::<_, Done>(name, message);
        let done = tokio::select! {
            done = asked => done,
            Some(error) = errors.next() => Err(error),
        };
        match done.map_err(|error| failed(error.to_string()))? {
            Done { success: Some(false), errmsg } => Err(failed(errmsg.unwrap_or_default())),
            Done { .. } => Ok(()),
        }
    }

    /// Tells it everything: what it knew of secrets is forgotten first. Tunnels that stand go on.
    ///
    /// # Errors
    /// [`Error::Socket`], [`Error::Charon`].
    pub async fn load(&self, purpose: Purpose, secret: &Secret, all: &[Connection]) -> Result<(), Error> {
        self.command("clear-creds", Nothing {}).await?;
        match secret {
            Secret::Psk { key, owners } => {
                self.command("load-shared", Shared { kind: "IKE", data: key, owners }).await?;
            }
            Secret::Key(key) => self.command("load-key", Key { kind: "any", data: key }).await?,
        }
        for (nth, connection) in all.iter().enumerate() {
            let named = BTreeMap::from([(Connection::name(purpose, nth), connection)]);
            self.command("load-conn", named).await?;
        }
        Ok(())
    }

    /// Calls the n-th gateway and waits until the tunnel stands or the call is over.
    pub async fn call(&self, purpose: Purpose, nth: usize) -> Result<(), Trouble> {
        let mut said = Said::default();
        let name = Connection::name(purpose, nth);
        let ask = Call { child: purpose.key(), ike: &name, timeout: PATIENCE_MS, loglevel: "1" };
        let mut client = self.client().await.map_err(|_| Trouble::Other)?;
        let mut errors = pin!(client.listen_for_errors());
        let mut log = pin!(client.stream_request::<_, Log>("initiate", "control-log", ask));
        loop {
            let heard = tokio::select! {
                heard = log.next() => heard,
                Some(_) = errors.next() => return Err(Trouble::Other),
            };
            match heard {
                Some(Ok(line)) => {
                    tracing::debug!(line = line.msg, "charon");
                    said.hear(&line.msg);
                }
                Some(Err(error)) => {
                    tracing::info!(%error, trouble = ?said.trouble(), "the gateway was called in vain");
                    return Err(said.trouble());
                }
                None => return Ok(()),
            }
        }
    }

    /// Ends whatever stands or is under way, without waiting for the peer.
    pub async fn end(&self, purpose: Purpose, gateways: usize) {
        for nth in 0..gateways {
            let name = Connection::name(purpose, nth);
            // It refuses where there is nothing to end.
            let _ = self.command("terminate", End { ike: &name, force: true, timeout: "-1" }).await;
        }
    }

    /// What stands.
    ///
    /// # Errors
    /// [`Error::Socket`], [`Error::Charon`].
    pub async fn look(&self, purpose: Purpose) -> Result<Option<Standing>, Error> {
        let failed = |error: rsvici::Error| Error::Charon { what: "list-sas", reason: error.to_string() };
        let mut client = self.client().await?;
        let mut errors = pin!(client.listen_for_errors());
        let mut list =
            pin!(client.stream_request::<_, BTreeMap<String, Ike>>("list-sas", "list-sa", Nothing {}));
        let mut found = None;
        loop {
            let heard = tokio::select! {
                heard = list.next() => heard,
                Some(error) = errors.next() => return Err(failed(error)),
            };
            let Some(heard) = heard else { return Ok(found) };
            let sas = heard.map_err(failed)?;
            found = sas.iter().find_map(|(name, ike)| standing(purpose, name, ike)).or(found);
        }
    }

    /// Says when a tunnel begins or ends, until charon goes; says first that it came.
    ///
    /// # Errors
    /// [`Error::Socket`] if nobody answers; [`Error::Charon`] when it went.
    pub async fn hear(&self, tell: &mpsc::Sender<Heard>) -> Result<(), Error> {
        let mut clients = [self.client().await?, self.client().await?];
        let gone = |reason: String| Error::Charon { what: "tell what happens", reason };
        let [one, two] = &mut clients;
        let mut errors = [pin!(one.listen_for_errors()), pin!(two.listen_for_errors())];
        let [first, second] = EVENTS;
        let mut events = [pin!(one.subscribe::<Something>(first)), pin!(two.subscribe::<Something>(second))];
        // A subscription begins with its first poll; what happens before the answer is found by looking.
        for stream in &mut events {
            let _ = stream.next().now_or_never();
        }
        let _ = tell.send(Heard::Came).await;
        let ([fell, fell_too], [event, other]) = (&mut errors, &mut events);
        loop {
            let heard = tokio::select! {
                Some(error) = fell.next() => return Err(gone(error.to_string())),
                Some(error) = fell_too.next() => return Err(gone(error.to_string())),
                Some(heard) = event.next() => heard,
                Some(heard) = other.next() => heard,
            };
            if let Err(error) = heard {
                return Err(gone(error.to_string()));
            }
            let _ = tell.send(Heard::Changed).await;
        }
    }
}

/// What listening brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// charon answers.
    Came,
    /// A tunnel began or ended.
    Changed,
}

/// The tunnel, if this IKE_SA has one that carries.
fn standing(purpose: Purpose, name: &str, ike: &Ike) -> Option<Standing> {
    let is_ours = name.strip_prefix(purpose.key()).is_some_and(|rest| rest.starts_with('-'));
    let lives = ["ESTABLISHED", "REKEYING", "REKEYED"].contains(&ike.state.as_str());
    let carries =
        |child: &Child| ["INSTALLED", "UPDATING", "REKEYING", "REKEYED"].contains(&child.state.as_str());
    if !is_ours || !lives || !ike.child_sas.values().any(carries) {
        return None;
    }
    Some(Standing {
        gateway: ike.remote_host.parse().ok()?,
        own: ike.local_host.parse().ok()?,
        inner: ike.local_vips.iter().find_map(|address| address.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tunnel_of_ours_that_carries_stands() {
        let ike = |state: &str, child: &str| Ike {
            state: state.into(),
            local_host: "2001:db8::7".into(),
            remote_host: "2001:db8:0:9::1".into(),
            local_vips: vec!["203.0.113.130".into()],
            child_sas: BTreeMap::from([("line-1".into(), Child { state: child.into() })]),
        };
        let found = standing(Purpose::Line, "line-0", &ike("ESTABLISHED", "INSTALLED")).unwrap();
        assert_eq!(found.inner, Some([203, 0, 113, 130].into()));
        assert!(standing(Purpose::Line, "line-0", &ike("ESTABLISHED", "REKEYING")).is_some());
        assert!(standing(Purpose::Line, "line-0", &ike("CONNECTING", "INSTALLED")).is_none());
        assert!(standing(Purpose::Line, "line-0", &ike("ESTABLISHED", "DELETING")).is_none());
        assert!(standing(Purpose::Line, "maint-0", &ike("ESTABLISHED", "INSTALLED")).is_none());
    }
}
