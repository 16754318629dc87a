//! Where everything is: the repository, and what is made below its target folder.

use std::path::{Path, PathBuf};

use crate::error::{Error, at};

/// The folders of one working copy.
#[derive(Debug, Clone)]
pub struct Place {
    /// The repository.
    pub repo: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Everything of the image that is made, `TARGET/image`.
    pub work: PathBuf,
    /// Where the tools and the keys are: `TARGET/image` too, for a second build that is made to be compared.
    shared: PathBuf,
}

impl Place {
    /// The working copy this is called in; `CARGO_TARGET_DIR` counts, as it does for cargo.
    pub fn here() -> Result<Self, Error> {
        let repo = std::env::current_dir().map_err(crate::error::doing("find the current folder"))?;
        if !repo.join("image/packages.list").is_file() {
            return Err(Error::Usage(format!(
                "find image/packages.list in {}: call it in the repository",
                repo.display()
            )));
        }
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repo.join("target"), |dir| repo.join(dir));
        let work = target.join("image");
        std::fs::create_dir_all(&work).map_err(at("make", &work))?;
        let work = work.canonicalize().map_err(at("find", &work))?;
        Ok(Self { repo, target, shared: work.clone(), work })
    }

    /// The same, with another place for what is made.
    pub fn again(&self, name: &str) -> Self {
        Self { work: self.shared.join(name), ..self.clone() }
    }

    /// The tools tree.
    pub fn tools(&self) -> PathBuf {
        self.shared.join("tools")
    }

    /// The development keys.
    pub fn keys(&self) -> PathBuf {
        self.shared.join("keys")
    }

    /// All that the tools get to see of this machine's disk.
    pub fn shared(&self) -> &Path {
        &self.shared
    }

    /// A data file of this crate.
    pub fn data(&self, name: &str) -> PathBuf {
        self.repo.join("image").join(name)
    }

    /// A thing that is made on the way.
    pub fn made(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// What is for others: the image and what belongs to it.
    pub fn out(&self) -> PathBuf {
        self.work.join("out")
    }
}

/// Removes a folder or file if it is there.
pub fn clear(path: &Path) -> Result<(), Error> {
    let gone = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => Ok(()),
    };
    gone.map_err(at("remove", path))
}

/// An empty folder, whatever was there before.
pub fn fresh(path: &Path) -> Result<(), Error> {
    clear(path)?;
    std::fs::create_dir_all(path).map_err(at("make", path))
}
