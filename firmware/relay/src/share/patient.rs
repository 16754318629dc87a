//! A share that never keeps us waiting for ever. The SMB client waits without a limit in places (for credits, for a
//! signal of its own); a step that takes longer than any file needs is given up as silence, and the next connection
//! begins with a look at what is really there.

use std::future::Future;
use std::time::Duration;

use model::Symptom;

use crate::share::{Entry, Opened, Outgoing, Parcel, Published, Share, Staged, Trouble};

/// Longer than the largest file takes on a slow network.
pub const LONGEST: Duration = Duration::from_secs(60);
/// Longer than anything takes that moves no file.
pub const SHORT: Duration = Duration::from_secs(10);

/// A share whose every step ends.
#[derive(Debug)]
pub struct Patient<S> {
    share: S,
    longest: Duration,
}

impl<S: Share> Patient<S> {
    /// Gives each step of `share` at most `longest`, and one that moves no file at most [`SHORT`].
    pub const fn new(share: S, longest: Duration) -> Self {
        Self { share, longest }
    }

    async fn shortly<V>(
        &self,
        action: &'static str,
        step: impl Future<Output = Result<V, Trouble>> + Send,
    ) -> Result<V, Trouble> {
        within(self.longest.min(SHORT), action, step).await
    }

    /// One outcome each, also when the whole was given up.
    fn each<V>(done: Result<Vec<Result<V, Trouble>>, Trouble>, count: usize) -> Vec<Result<V, Trouble>> {
        match done {
            Ok(each) => each,
            Err(trouble) => (0..count).map(|_| Err(trouble.clone())).collect(),
        }
    }
}

/// A step that takes longer is given up as silence.
pub async fn within<V>(
    longest: Duration,
    action: &'static str,
    step: impl Future<Output = Result<V, Trouble>> + Send,
) -> Result<V, Trouble> {
    let given_up = |_| Trouble {
        symptom: Symptom::Silent,
        action,
        detail: format!("nothing within {} s", longest.as_secs()),
    };
    tokio::time::timeout(longest, step).await.map_err(given_up)?
}

impl<S: Share> Share for Patient<S> {
    type Handle = S::Handle;

    fn poll(&self) -> Duration {
        self.share.poll()
    }

    async fn lacks(&self, folder: &str) -> Result<bool, Trouble> {
        self.shortly("find a folder", self.share.lacks(folder)).await
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        self.shortly("list a folder", self.share.list(folder)).await
    }

    async fn stage(&self, files: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        let count = files.len();
        let staged = async { Ok(self.share.stage(files).await) };
        Self::each(within(self.longest, "stage", staged).await, count)
    }

    async fn publish(&self, parcels: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
        let count = parcels.len();
        let published = async { Ok(self.share.publish(parcels).await) };
        Self::each(within(self.longest, "publish", published).await, count)
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        self.shortly("list the staging folder", self.share.staged()).await
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        self.shortly("discard a staged file", self.share.discard(name)).await
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<S::Handle>, Trouble> {
        self.shortly("open a file", self.share.open(folder, entry, largest)).await
    }

    async fn read(&self, handle: &S::Handle, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
        self.shortly("read a file", self.share.read(handle, offset, length)).await
    }

    async fn remove(&self, handle: S::Handle) -> Result<bool, Trouble> {
        self.shortly("remove a file", self.share.remove(handle)).await
    }

    async fn release(&self, handle: S::Handle) {
        // Nothing depends on it: a connection that hangs is noticed by the next step.
        let _ = tokio::time::timeout(self.longest, self.share.release(handle)).await;
    }

    async fn changed(&self) {
        self.share.changed().await;
    }

    async fn close(&self) {
        self.share.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::staged_name;

    /// A peer that never answers.
    struct Mute;

    impl Share for Mute {
        type Handle = ();

        fn poll(&self) -> Duration {
            Duration::MAX
        }

        async fn lacks(&self, _: &str) -> Result<bool, Trouble> {
            std::future::pending().await
        }

        async fn list(&self, _: &str) -> Result<Vec<Entry>, Trouble> {
            std::future::pending().await
        }

        async fn stage(&self, _: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
            std::future::pending().await
        }

        async fn publish(&self, _: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
            std::future::pending().await
        }

        async fn staged(&self) -> Result<Staged, Trouble> {
            std::future::pending().await
        }

        async fn discard(&self, _: &str) -> Result<(), Trouble> {
            std::future::pending().await
        }

        async fn open(&self, _: &str, _: &Entry, _: u64) -> Result<Opened<()>, Trouble> {
            std::future::pending().await
        }

        async fn read(&self, (): &(), _: u64, _: usize) -> Result<Vec<u8>, Trouble> {
            std::future::pending().await
        }

        async fn remove(&self, (): ()) -> Result<bool, Trouble> {
            std::future::pending().await
        }

        async fn release(&self, (): ()) {
            std::future::pending().await
        }

        async fn changed(&self) {
            std::future::pending().await
        }

        async fn close(&self) {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_peer_that_never_answers_is_silent_and_not_waited_for() {
        let share = Patient::new(Mute, Duration::from_millis(10));
        let parcel = Parcel { staged: staged_name(1), folder: "req".into(), name: "a".into() };
        let file = Outgoing {
            parcel: parcel.clone(),
            file: std::sync::Arc::new(tempfile::tempfile().unwrap()),
            size: 0,
        };
        let mut said = vec![
            share.list("res").await.map(drop),
            share.staged().await.map(drop),
            share.discard("a").await,
            share.lacks("a").await.map(drop),
            share.read(&(), 0, 1).await.map(drop),
            share.remove(()).await.map(drop),
        ];
        said.extend(share.stage(vec![file]).await);
        said.extend(share.publish(vec![parcel]).await.into_iter().map(|one| one.map(drop)));
        assert_eq!(said.len(), 8);
        for step in said {
            assert_eq!(step.expect_err("nothing came").symptom, Symptom::Silent);
        }
        share.release(()).await;
    }
}
