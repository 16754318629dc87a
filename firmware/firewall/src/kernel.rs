//! nft, spoken to in JSON over its standard input: nothing of a site ever stands on a command line.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::beside;
use crate::error::Error;
use crate::flows::{self, Foul};
use crate::tables::Tables;

/// A look at the open flows that is under way.
pub(crate) type Judging = tokio::task::JoinHandle<Result<Foul, Error>>;

/// What holds rulesets: the kernel, or a double of it.
pub(crate) trait Kernel {
    /// Takes all of the commands, or none.
    fn load(&self, document: &Value) -> impl Future<Output = Result<(), Error>> + Send;
    /// As [`Self::load`] of the ruleset; by the steps that lead there from what is held, if there are any and they are taken.
    fn swap(
        &self,
        steps: Option<&Value>,
        document: &Value,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = steps;
        self.load(document)
    }
    /// Something is to be loaded soon: what can be done before it is known, is.
    fn prepare(&self) {}
    /// It is not, after all.
    fn dismiss(&self) {}
    /// Everything it holds of every table that sees packets, and what moves packets beside it.
    fn list(&self) -> impl Future<Output = Result<Value, Error>> + Send;
    /// The number of the last change that the last listing shows as a whole; none if it is not known.
    fn listed(&self) -> Option<u32> {
        None
    }
    /// Looks for the open flows that this ruleset would not let begin, while something else is done.
    fn judge_flows(&self, document: &Value) -> Judging;
    /// Ends them, and says how many.
    fn end_flows(&self, foul: &Foul) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// Where a system keeps nft. Not looked up in PATH: what runs with CAP_NET_ADMIN is not for others to choose.
const PLACES: [&str; 4] = ["/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"];

/// So often the kernel is read if nft refuses, or something is changed meanwhile.
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
    /// [`Kernel::listed`].
    listed: Mutex<Option<u32>>,
    /// A process that was started before there was anything to tell it.
    ready: Mutex<Option<Child>>,
}

impl Nft {
    pub(crate) fn find() -> Result<Self, Error> {
        let found = PLACES.iter().map(Path::new).find(|path| path.is_file());
        let path = found.ok_or_else(|| Error::NoNft(PLACES.join(", ")))?.to_owned();
        Ok(Self { path, listed: Mutex::new(None), ready: Mutex::new(None) })
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.path);
        command.args(["-j", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).env("LC_ALL", "C").spawn()
    }

    async fn run(&self, doing: &'static str, input: &Value) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Run { path: self.path.display().to_string(), source };
        let run = async {
            let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut child = ready.map_or_else(|| self.start(), Ok)?;
            if let Some(mut stdin) = child.stdin.take() {
                // nft may refuse before it has read everything; what it says then is worth more than a broken pipe.
                let _ = stdin.write_all(input.to_string().as_bytes()).await;
            }
            bounded(child).await
        };
        let patience = if doing == LIST { LISTING } else { PATIENCE };
        let output = tokio::time::timeout(patience, run).await.map_err(|_| Error::Silent(doing))?;
        answer(doing, output.map_err(failed)?)
    }

    /// What is in a table. Also its name, which anybody may have given it, goes in as JSON.
    async fn listed(&self, family: &str, name: &str) -> Result<Vec<Value>, Error> {
        let command = json!({"nftables": [{"list": {"table": {"family": family, "name": name}}}]});
        let mut listing: Value = serde_json::from_slice(&self.run(LIST, &command).await?)?;
        crate::spelling::settle(&mut listing);
        Ok(listing["nftables"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The tables that see packets, one after the other: what others keep in tables without a hook decides nothing, and
    /// may be more than can be read. nft is not asked for several things at once: it then reads of all of them only what
    /// the last one is about, and tells the rest as empty (1.0.6).
    async fn seeing(&self, tables: &mut Tables) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for (family, name) in tables.at_hooks().await.map_err(Error::Tables)? {
            objects.extend(self.listed(family, &name).await?);
        }
        Ok(objects)
    }

    /// The same between two looks at the number of the last change, which is handed back if none fell in between.
    async fn seen(&self, tables: &mut Tables) -> (Result<Vec<Value>, Error>, Option<u32>) {
        let before = tables.last_change().await;
        let found = self.seeing(tables).await;
        let after = tables.last_change().await;
        let unchanged = before.ok().zip(after.ok()).filter(|(before, after)| before == after);
        (found, unchanged.map(|(number, _)| number))
    }
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
    /// Starts one that waits for its commands while something else is done: to start takes nft a third of a listing.
    fn prepare(&self) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = self.start().ok();
    }

    fn dismiss(&self) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn load(&self, document: &Value) -> Result<(), Error> {
        self.run("load the ruleset", document).await.map(drop)
    }

    async fn swap(&self, steps: Option<&Value>, document: &Value) -> Result<(), Error> {
        if let Some(steps) = steps {
            if steps["nftables"].as_array().is_some_and(Vec::is_empty) {
                return Ok(());
            }
            // Whatever comes of it, the kernel is listed next.
            let (loaded, ()) = tokio::join!(self.load(steps), async { self.prepare() });
            match loaded {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "the rules cannot be changed in their place: they are loaded anew")
                }
            }
        }
        self.load(document).await
    }

    async fn list(&self) -> Result<Value, Error> {
        let mut tables = Tables::open().map_err(Error::Tables)?;
        let (mut found, mut number) = self.seen(&mut tables).await;
        for _ in 1..TIMES {
            // A table may go before it is read, and what is changed while it is read is shown or not.
            if matches!(found, Err(Error::Refused { .. })) || found.is_ok() && number.is_none() {
                (found, number) = self.seen(&mut tables).await;
            }
        }
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = number;
        let mut objects = found?;
        objects.extend(beside::look().await?);
        Ok(json!({ "nftables": objects }))
    }

    fn listed(&self) -> Option<u32> {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge_flows(&self, document: &Value) -> Judging {
        let document = document.clone();
        tokio::spawn(async move { flows::foul(&document).await.map_err(Error::Flows) })
    }

    async fn end_flows(&self, foul: &Foul) -> Result<usize, Error> {
        flows::end(foul).await.map_err(Error::Flows)
    }
}
