//! One file of a share: opened, written and read back, read.

use model::Symptom;
use smb::{
    CreateDisposition, CreateOptions, File, FileAccessMask, FileAttributes, FileCreateArgs,
    FileNetworkOpenInformation, Resource, Status, Tree,
};

use crate::folder::read_range;
use crate::sabotage::{FLUSH_REMOTE, unless_awaited};
use crate::share::said::{hidden, is_about_the_file, status, trouble};
use crate::share::{Outgoing, Trouble};

/// How much one read or write carries; every server allows it.
pub const CHUNK: usize = 64 * 1024;

/// Opens a file; what the share says about that file is an answer.
pub async fn open_file(
    tree: &Tree,
    action: &'static str,
    path: &str,
    disposition: CreateDisposition,
    access: FileAccessMask,
) -> Result<Result<File, u32>, Trouble> {
    let args = FileCreateArgs {
        disposition,
        attributes: FileAttributes::new(),
        options: CreateOptions::new().with_non_directory_file(true),
        desired_access: access,
    };
    match tree.create(path, &args).await {
        Ok(Resource::File(file)) => Ok(Ok(file)),
        Ok(_) => Ok(Err(Status::U32_FILE_IS_A_DIRECTORY)),
        Err(error) => match status(&error) {
            Some(found) if is_about_the_file(found) => Ok(Err(found)),
            _ => Err(trouble(action, &error)),
        },
    }
}

/// A path as SMB writes it.
pub fn path_of(folder: &str, name: &str) -> String {
    format!("{}\\{name}", folder.replace('/', "\\"))
}

/// For a folder that is listed.
pub fn listing() -> FileAccessMask {
    FileAccessMask::new().with_file_read_data(true).with_file_read_attributes(true).with_synchronize(true)
}

/// For a file that is written.
pub fn writing_access() -> FileAccessMask {
    rename_access().with_file_write_data(true).with_file_write_attributes(true)
}

/// For a file that is read and renamed or removed. Asking for deletion is refused while a writer does not share it.
pub fn taking_access() -> FileAccessMask {
    listing().with_delete(true)
}

/// For a file that is renamed or removed unread.
pub fn rename_access() -> FileAccessMask {
    FileAccessMask::new().with_file_read_attributes(true).with_delete(true).with_synchronize(true)
}

/// Writes and flushes; returns the hash of what was written.
pub async fn write(file: &File, one: &Outgoing) -> Result<blake3::Hash, Trouble> {
    let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
    while at < one.size {
        let bytes = chunk(one, at).await?;
        hasher.update(&bytes);
        let mut done = 0;
        while done < bytes.len() {
            let written = file.write_block(&bytes[done..], at + done as u64, None).await;
            done += written.map_err(|error| hidden("write", &error))?.max(1);
        }
        at += bytes.len() as u64;
    }
    let flushed = unless_awaited(FLUSH_REMOTE, file.flush()).await;
    flushed.map_err(|error| hidden("flush", &error))?;
    Ok(hasher.finalize())
}

/// The next bytes of a file of ours.
async fn chunk(one: &Outgoing, at: u64) -> Result<Vec<u8>, Trouble> {
    let length = usize::try_from(one.size - at).unwrap_or(CHUNK).min(CHUNK);
    let file = one.file.clone();
    let bytes = tokio::task::spawn_blocking(move || read_range(&file, at, length)).await;
    let shorter = || Trouble {
        symptom: Symptom::Malformed,
        action: "read what is to be sent",
        detail: "it is shorter than it was".to_owned(),
    };
    match bytes {
        Ok(Ok(bytes)) if bytes.len() == length => Ok(bytes),
        _ => Err(shorter()),
    }
}

/// Whether what lies there is what was written.
pub async fn check(file: &File, size: u64, written: blake3::Hash) -> Result<(), Trouble> {
    let (mut hasher, mut at) = (blake3::Hasher::new(), 0);
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(CHUNK).min(CHUNK);
        let bytes = read(file, at, length).await?;
        if bytes.is_empty() {
            break;
        }
        hasher.update(&bytes);
        at += bytes.len() as u64;
    }
    if at == size && hasher.finalize() == written {
        return Ok(());
    }
    let detail = "what was read back differs from what was written".to_owned();
    Err(Trouble { symptom: Symptom::Malformed, action: "check", detail })
}

/// Reads at most `length` bytes.
pub async fn read(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + CHUNK);
        let got = file.read_block(&mut bytes[at..end], offset + at as u64, None, false).await;
        match got.map_err(|error| hidden("read", &error))? {
            0 => break,
            count => at += count,
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

/// Size and last write: what changes when somebody wrote after we read.
pub async fn seen(file: &File) -> Result<(u64, u64), Trouble> {
    let found = file.query_info::<FileNetworkOpenInformation>().await;
    let found = found.map_err(|error| trouble("look at an answer", &error))?;
    Ok((found.end_of_file, *found.last_write_time))
}
