//! A share that never keeps us waiting for ever. The SMB client waits without a limit in places (for credits, for a
//! signal of its own); a step that takes longer than any file needs is given up as silence, and the next connection
//! begins with a look at what is really there.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::Symptom;

use crate::share::{Entry, Opened, Parcel, Published, Share, Staged, Trouble};

/// Longer than the largest file takes on a slow network, seconds.
pub const LONGEST: Duration = Duration::from_secs(60);

/// A share whose every step ends.
#[derive(Debug)]
pub struct Patient<S> {
    share: S,
    longest: Duration,
}

impl<S: Share> Patient<S> {
    /// Gives each step of `share` at most `longest`.
    pub const fn new(share: S, longest: Duration) -> Self {
        Self { share, longest }
    }

    async fn within<V>(
        &self,
        action: &'static str,
        step: impl Future<Output = Result<V, Trouble>> + Send,
    ) -> Result<V, Trouble> {
        let given_up = |_| Trouble {
            symptom: Symptom::Silent,
            action,
            detail: format!("nothing within {} s", self.longest.as_secs()),
        };
        tokio::time::timeout(self.longest, step).await.map_err(given_up)?
    }
}

impl<S: Share> Share for Patient<S> {
    type Handle = S::Handle;

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        self.within("list a folder", self.share.list(folder)).await
    }

    async fn stage(&self, parcel: Parcel<'_>, bytes: Arc<[u8]>) -> Result<(), Trouble> {
        self.within("stage a request", self.share.stage(parcel, bytes)).await
    }

    async fn publish(&self, parcel: Parcel<'_>) -> Result<Published, Trouble> {
        self.within("publish a request", self.share.publish(parcel)).await
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        self.within("list the staging folder", self.share.staged()).await
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        self.within("discard a staged file", self.share.discard(name)).await
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<S::Handle>, Trouble> {
        self.within("open an answer", self.share.open(folder, entry, largest)).await
    }

    async fn remove(&self, handle: S::Handle) -> Result<bool, Trouble> {
        self.within("remove an answer", self.share.remove(handle)).await
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

    /// A peer that never answers.
    struct Mute;

    impl Share for Mute {
        type Handle = ();

        async fn list(&self, _: &str) -> Result<Vec<Entry>, Trouble> {
            std::future::pending().await
        }

        async fn stage(&self, _: Parcel<'_>, _: Arc<[u8]>) -> Result<(), Trouble> {
            std::future::pending().await
        }

        async fn publish(&self, _: Parcel<'_>) -> Result<Published, Trouble> {
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
        let parcel = Parcel { stage: 1, folder: "req", name: "a" };
        let said = [
            share.list("res").await.map(drop),
            share.stage(parcel, Arc::from([])).await,
            share.publish(parcel).await.map(drop),
            share.staged().await.map(drop),
            share.discard("a").await,
            share.remove(()).await.map(drop),
        ];
        for step in said {
            assert_eq!(step.expect_err("nothing came").symptom, Symptom::Silent);
        }
        share.release(()).await;
    }
}
