//! A login to a share: dialect 3.0 or newer, encrypted.
//!
//! It is read from its file at every connection, so that a changed password needs no restart, and is tried as often as
//! `logins` lets it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::Symptom;
use smb::connection::EncryptionMode;
use smb::{Connection, ConnectionConfig, Dialect, Guid, Session, Tree, UncPath};

use crate::share::logins::{Login, Logins};
use crate::share::said::{connecting, refused, trouble};
use crate::share::transport::Tcp;
use crate::share::{Occasion, Trouble};

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// An end whose share is reached by SMB.
#[derive(Clone, Debug)]
pub struct RemoteTerminal {
    address: SocketAddr,
    share: String,
    secret: PathBuf,
    logins: Arc<Logins>,
}

/// A login to a share.
pub struct LoggedIn {
    connection: Connection,
    session: Session,
    /// The share.
    pub tree: Tree,
}

impl RemoteTerminal {
    /// A share and where its server listens, and the file with the login: user and password, a line each.
    pub fn new(address: SocketAddr, share: String, secret: PathBuf) -> Self {
        Self { address, share, secret, logins: Arc::default() }
    }

    /// Counts its logins together with those to `other` if both are to one account.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        if self.is_account_of(other) { Self { logins: other.logins.clone(), ..self } } else { self }
    }

    fn is_account_of(&self, other: &Self) -> bool {
        self.address == other.address && self.secret == other.secret
    }

    /// Connects and logs in.
    pub async fn log_in(&self, occasion: Occasion) -> Result<LoggedIn, Trouble> {
        let (login, identity) = login(&self.secret)?;
        self.logins.may(occasion, login).await?;
        let transport = Tcp::connect(self.address, PATIENCE).await.map_err(|error| connecting(&error))?;
        let server = self.address.ip().to_string();
        let connection =
            Connection::from_transport(Box::new(transport), &server, Guid::generate(), settings());
        let connection = connection.await.map_err(|error| trouble("negotiate", &error))?;
        let asked = async { connection.authenticate(identity).await.map_err(|error| refused(&error)) };
        let session = self.logins.log_in(occasion, login, asked).await?;
        let unc = UncPath::new(&server).and_then(|unc| unc.with_share(&self.share));
        let unc = unc.map_err(|error| trouble("name the share", &error))?;
        let tree = session.tree_connect(&unc).await.map_err(|error| trouble("open the share", &error))?;
        Ok(LoggedIn { connection, session, tree })
    }
}

impl LoggedIn {
    /// Logs off.
    pub async fn end(&self) {
        let _ = self.session.logoff().await;
        let _ = self.connection.close().await;
    }
}

fn settings() -> ConnectionConfig {
    ConnectionConfig {
        timeout: Some(PATIENCE),
        min_dialect: Some(Dialect::Smb030),
        encryption_mode: EncryptionMode::Required,
        smb2_only_negotiate: true,
        client_name: Some("sekisho".to_owned()),
        ..ConnectionConfig::default()
    }
}

/// User and password, a line each.
fn login(path: &Path) -> Result<(Login, sspi::AuthIdentity), Trouble> {
    let own = |detail: String| Trouble { symptom: Symptom::NoLogin, action: "read the login", detail };
    let text = std::fs::read_to_string(path).map_err(|error| own(error.kind().to_string()))?;
    let mut lines = text.lines();
    let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
        return Err(own("user and password are wanted, a line each".to_owned()));
    };
    let username =
        sspi::Username::parse(user).map_err(|_| own("the user's name cannot be used".to_owned()))?;
    let identity = sspi::AuthIdentity { username, password: password.to_owned().into() };
    Ok((blake3::hash(text.as_bytes()), identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_login_that_this_box_cannot_read_is_not_called_refused() {
        let folder = tempfile::tempdir().unwrap();
        let half = folder.path().join("half");
        std::fs::write(&half, "user\n").unwrap();
        for secret in [folder.path().join("none"), half] {
            let end = RemoteTerminal::new(([127, 0, 0, 1], 9).into(), "OQS".into(), secret);
            let Err(trouble) = end.log_in(Occasion::Routine).await else { panic!("it logged in") };
            assert_eq!(trouble.symptom, Symptom::NoLogin);
        }
    }

    #[test]
    fn logins_to_one_account_are_counted_together_and_others_are_not() {
        let end = |address: &str, share: &str, secret: &str| {
            RemoteTerminal::new(
                (address.parse::<std::net::IpAddr>().unwrap(), 445).into(),
                share.into(),
                secret.into(),
            )
        };
        let first = end("10.0.0.2", "OQS", "t1");
        let together = |other: RemoteTerminal| Arc::ptr_eq(&other.beside(&first).logins, &first.logins);
        assert!(together(end("10.0.0.2", "EPS", "t1")));
        assert!(!together(end("10.0.0.2", "EPS", "t2")));
        assert!(!together(end("10.0.0.3", "OQS", "t1")));
    }
}
