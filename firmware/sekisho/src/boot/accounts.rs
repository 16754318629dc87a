//! `sekisho boot accounts`: Samba's own store of the share's accounts, made anew at every boot from the secrets
//! that lie on the box, in a unit of its own, so that smbd need not see them. By pdbedit, because Debian's smbpasswd comes with all of Python.

use std::path::Path;

use super::Places;
use super::tool;
use crate::failure::Failure;

/// Gives Samba every account in `smb.users` with its password.
///
/// # Errors
/// [`Failure::Read`] for a list or a secret that is not there; [`Failure::Data`] with pdbedit's word.
pub fn run(places: &Places) -> Result<(), Failure> {
    let folder = places.own().join("samba");
    let (list, config) = (folder.join("smb.users"), folder.join("smb.conf"));
    let store = folder.join("private/passdb.tdb");
    match std::fs::remove_file(&store) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::Write { path: store, source });
        }
        _ => {}
    }
    for line in read(&list)?.lines() {
        let Some((account, secret)) = line.split_once(':') else { continue };
        let secret = read(Path::new(secret))?;
        let password = secret.lines().nth(1).unwrap_or_default();
        let twice = format!("{password}\n{password}\n");
        let config = config.display().to_string();
        let arguments = ["--create", "--password-from-stdin", "--user", account, "--configfile", &config];
        tool::run("/usr/bin/pdbedit", &arguments, &twice)
            .map_err(|reason| Failure::Data { path: list.clone(), reason })?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}
