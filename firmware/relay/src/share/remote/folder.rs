//! The folders of a share.

use std::sync::Arc;

use futures_util::StreamExt;
use smb::{CreateDisposition, Directory, FileDirectoryInformation, Resource, Status, Tree};

use super::file::listing;
use crate::share::said::{said, trouble};
use crate::share::{Entry, Trouble};

/// Opens a folder; makes what is missing on the way if asked to.
pub async fn open_folder(tree: &Tree, path: &str, make: bool) -> Result<Directory, Trouble> {
    let disposition = if make { CreateDisposition::OpenIf } else { CreateDisposition::Open };
    if let (true, Some((above, _))) = (make, path.rsplit_once('/')) {
        let above = Box::pin(open_folder(tree, above, make)).await?;
        let _ = above.close().await;
    }
    let opened = tree.create_directory(&path.replace('/', "\\"), disposition, listing()).await;
    directory(opened.map_err(|error| trouble("open a folder", &error))?)
}

/// What is in a folder.
pub async fn list(folder: &Arc<Directory>) -> Result<Vec<FileDirectoryInformation>, Trouble> {
    let stream = Directory::query::<FileDirectoryInformation>(folder, "*").await;
    let mut stream = stream.map_err(|error| trouble("list a folder", &error))?;
    let mut found = Vec::new();
    while let Some(one) = stream.next().await {
        found.push(one.map_err(|error| trouble("list a folder", &error))?);
    }
    Ok(found)
}

/// A file as listed.
pub fn entry(found: FileDirectoryInformation) -> Entry {
    let stamp = *found.change_time ^ found.last_write_time.rotate_left(32);
    let changed = *found.last_write_time;
    Entry { name: found.file_name.to_string(), size: found.end_of_file, stamp, changed }
}

/// What was opened, if it is a folder.
pub fn directory(resource: Resource) -> Result<Directory, Trouble> {
    match resource {
        Resource::Directory(directory) => Ok(directory),
        _ => Err(said("open a folder", Status::U32_OBJECT_PATH_NOT_FOUND)),
    }
}
