//! nft, spoken to in JSON over its standard input: nothing of a site ever stands on a command line.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::beside;
use crate::error::Error;
use crate::flows;

/// What holds rulesets: the kernel, or a double of it.
pub(crate) trait Kernel {
    /// Takes all of the commands, or none.
    fn load(&self, document: &Value) -> impl Future<Output = Result<(), Error>> + Send;
    /// Everything it holds of every table that sees packets, and what moves packets beside it.
    fn list(&self) -> impl Future<Output = Result<Value, Error>> + Send;
    /// Ends the open flows that this ruleset would not let begin, and says how many.
    fn end_refused(&self, document: &Value) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// Where a system keeps nft. Not looked up in PATH: what runs with CAP_NET_ADMIN is not for others to choose.
const PLACES: [&str; 4] = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];

/// So often the kernel is read if nft refuses.
const TIMES: u32 = 3;

/// What is done when the kernel is read.
const LIST: &str = "list the ruleset";

/// A ruleset of thousands of elements loads in under two seconds on a slow box.
const PATIENCE: Duration = Duration::from_secs(30);

/// Listing is quicker than loading. Who fills the kernel to make it slow only makes us look at less of it.
const LISTING: Duration = Duration::from_secs(10);

/// A ruleset with 10,000 destinations is listed in under three million bytes.
const LONGEST: u64 = 8 * 1024 * 1024;

/// The kernel of the network namespace we are in.
#[derive(Debug)]
pub(crate) struct Nft {
    path: PathBuf,
}

impl Nft {
    pub(crate) fn find() -> Result<Self, Error> {
        let found = PLACES.iter().map(Path::new).find(|path| path.is_file());
        let path = found.ok_or_else(|| Error::NoNft(PLACES.join(", ")))?.to_owned();
        Ok(Self { path })
    }

    async fn run(
        &self,
        doing: &'static str,
        arguments: &[&str],
        input: Option<&Value>,
    ) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Run { path: self.path.display().to_string(), source };
        let run = async {
            let mut command = Command::new(&self.path);
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.kill_on_drop(true).env("LC_ALL", "C").spawn()?;
            if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
                // nft may refuse before it has read everything; what it says then is worth more than a broken pipe.
                let _ = stdin.write_all(input.to_string().as_bytes()).await;
            }
            bounded(child).await
        };
        let patience = if doing == LIST { LISTING } else { PATIENCE };
        let output = tokio::time::timeout(patience, run).await.map_err(|_| Error::Silent(doing))?;
        answer(doing, output.map_err(failed)?)
    }

    /// What one command lists. Also a table's name, which anybody may have given it, goes in as JSON.
    async fn listed(&self, what: Value) -> Result<Vec<Value>, Error> {
        let command = json!({"nftables": [{ "list": what }]});
        let mut listing: Value =
            serde_json::from_slice(&self.run(LIST, &["-j", "-f", "-"], Some(&command)).await?)?;
        crate::spelling::settle(&mut listing);
        Ok(listing["nftables"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The tables that see packets, one after the other: what others keep in tables without a hook decides nothing, and
    /// may be more than can be read. Between two of them something may change; word of that comes.
    async fn seeing(&self) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for (family, name) in hooked(&self.listed(json!({"chains": null})).await?) {
            objects.extend(self.listed(json!({"table": {"family": family, "name": name}})).await?);
        }
        Ok(objects)
    }
}

/// The tables that have a chain at a hook.
fn hooked(chains: &[Value]) -> BTreeSet<(String, String)> {
    let chains = chains.iter().map(|item| &item["chain"]).filter(|chain| chain["hook"].is_string());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    chains.filter_map(|chain| text(&chain["family"]).zip(text(&chain["table"]))).collect()
}

/// Reads what it says, up to a limit, and waits for its end: who says more finds nobody listening.
async fn bounded(mut child: Child) -> std::io::Result<Output> {
    let (said, complained) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(up_to(said, LONGEST + 1), up_to(complained, LONGEST))?;
    Ok(Output { status: child.wait().await?, stdout, stderr })
}

async fn up_to(from: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn answer(doing: &'static str, output: Output) -> Result<Vec<u8>, Error> {
    if output.stdout.len() as u64 > LONGEST {
        return Err(Error::TooLong { doing, most: LONGEST });
    }
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said: String = String::from_utf8_lossy(&output.stderr).chars().take(400).collect();
    Err(Error::Refused { doing, said: said.trim().escape_debug().to_string() })
}

impl Kernel for Nft {
    async fn load(&self, document: &Value) -> Result<(), Error> {
        self.run("load the ruleset", &["-j", "-f", "-"], Some(document)).await.map(drop)
    }

    async fn list(&self) -> Result<Value, Error> {
        let mut found = self.seeing().await;
        for _ in 1..TIMES {
            // A table may go before it is read.
            if matches!(found, Err(Error::Refused { .. })) {
                found = self.seeing().await;
            }
        }
        let mut objects = found?;
        objects.extend(beside::look().await?);
        Ok(json!({ "nftables": objects }))
    }

    async fn end_refused(&self, document: &Value) -> Result<usize, Error> {
        flows::end_refused(document).await.map_err(Error::Flows)
    }
}
