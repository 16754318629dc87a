//! An image whose signature is good. It is held in memory: what was checked is what is written.

use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

use crate::error::{Error, at};
use crate::step::pack::WINDOW_LOG;

/// More than any image of ours, less than a machine has.
const MOST: u64 = 1 << 30;

/// A compressed image, checked.
#[derive(Debug)]
pub struct Image {
    packed: Vec<u8>,
    size: u64,
    path: PathBuf,
}

impl Image {
    /// Reads an image and its signature (`IMAGE.sig`) and checks it.
    pub fn open(path: &Path, key: &Path) -> Result<Self, Error> {
        let signature = PathBuf::from(format!("{}.sig", path.display()));
        let packed = read(path)?;
        let (signature, key_bytes) = (read(&signature)?, read(key)?);
        let data = |reason: String| Error::Data { path: path.to_owned(), reason };
        UnparsedPublicKey::new(&ED25519, &key_bytes).verify(&packed, &signature).map_err(|_| {
            data(format!(
                "its signature is not one of the key {}: changed, cut short or not ours",
                key.display()
            ))
        })?;
        let size = zstd::zstd_safe::get_frame_content_size(&packed)
            .ok()
            .flatten()
            .ok_or_else(|| data("it does not say how large it is unpacked".to_owned()))?;
        Ok(Self { packed, size, path: path.to_owned() })
    }

    /// Bytes unpacked.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Unpacks it in chunks, in order; every chunk but the last is as large as `chunk`.
    pub fn chunks(
        &self,
        chunk: usize,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut unpack = zstd::Decoder::new(self.packed.as_slice()).map_err(at("unpack", &self.path))?;
        unpack.window_log_max(WINDOW_LOG).map_err(at("unpack", &self.path))?;
        let (mut buffer, mut done) = (vec![0; chunk], 0);
        while done < self.size {
            let length = usize::try_from(self.size - done).map_or(chunk, |left| left.min(chunk));
            unpack.read_exact(&mut buffer[..length]).map_err(at("unpack", &self.path))?;
            take(done, &buffer[..length])?;
            done += length as u64;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let file = std::fs::File::open(path).map_err(at("read", path))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(at("read", path))?;
    if bytes.len() as u64 > MOST {
        return Err(Error::Data { path: path.to_owned(), reason: "it is too large for an image".to_owned() });
    }
    Ok(bytes)
}
