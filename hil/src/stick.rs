//! Sticks: FAT, with files on them.

use std::fs;

use clinic::Clinic;
use clinic::check::Wrong;

use crate::tools::{Tools, WORK};

/// How large a stick is.
const SIZE: u64 = 64 * 1024 * 1024;

/// Makes a stick with these files; gives the name of its image in the work folder.
///
/// # Errors
/// It cannot be made.
pub fn make(tools: &Tools, name: &str, files: &[(String, Vec<u8>)]) -> Result<String, Wrong> {
    let (image, source) = (format!("{name}.img"), tools.work.join(name));
    fs::create_dir_all(&source)?;
    for (path, bytes) in files {
        let file = source.join(path);
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, bytes)?;
    }
    let file = fs::File::create(tools.work.join(&image))?;
    file.set_len(SIZE)?;
    drop(file);
    let inside = format!("{WORK}/{image}");
    // Not mformat's boot sector: it looks like a partition table too.
    tools.run_here(&["mkfs.vfat", "-F", "32", "--mbr=n", &inside])?;
    let mut argv = vec!["mcopy", "-i", &inside, "-s"];
    let top = fs::read_dir(&source)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let top: Vec<String> = top.map(|entry| format!("{WORK}/{name}/{entry}")).collect();
    if !top.is_empty() {
        argv.extend(top.iter().map(String::as_str));
        argv.push("::/");
        tools.run_here(&argv)?;
    }
    Ok(image)
}

/// The lab's clinic by IPsec, whose line is a session of the box's instead.
const BY_PPPOE: &str = "kind = \"pppoe\"\n\n[line.pppoe]\nlogin = \"secret:line\"\n\n";

/// The same files for a line by PPPoE: another line in the site file, and the contract's words in place of the shared key.
///
/// # Errors
/// As [`of`].
pub fn by_pppoe(clinic: &Clinic, contract: &str) -> Result<Vec<(String, Vec<u8>)>, Wrong> {
    let mut files = of(clinic, "")?;
    files.retain(|(name, _)| name != "sekisho/provider.toml" && name != "sekisho/logins/line");
    files.push(("sekisho/logins/line".into(), contract.into()));
    let site = files.iter_mut().find(|(name, _)| name == "sekisho/site.toml");
    let (_, site) = site.ok_or_else(|| Wrong::new("the clinic has no site file"))?;
    let text = String::from_utf8_lossy(site).into_owned();
    let parts =
        text.split_once("[line]\n").and_then(|(head, rest)| Some((head, rest.split_once("[clinic]")?.1)));
    let (head, rest) =
        parts.ok_or_else(|| Wrong::new("the clinic's site file has no line before its clinic"))?;
    *site = format!("{head}[line]\n{BY_PPPOE}[clinic]{rest}").into_bytes();
    Ok(files)
}

/// What an installer puts on the stick for this clinic: site file with what else it has, profile, the centre's
/// authority, the terminal's login; where the line has a provider, its form and the shared key.
///
/// # Errors
/// The clinic has not made one of them.
pub fn of(clinic: &Clinic, more: &str) -> Result<Vec<(String, Vec<u8>)>, Wrong> {
    let mut files = Vec::new();
    for name in ["site.toml", "profile.toml", "ca.pem"] {
        files.push((format!("sekisho/{name}"), fs::read(clinic.place(name))?));
    }
    if let Some((_, site)) = files.first_mut() {
        site.extend(more.as_bytes());
    }
    let mut logins = vec!["t1"];
    if let Ok(form) = fs::read(clinic.place("provider.toml")) {
        files.push(("sekisho/provider.toml".into(), form));
        logins.push("line");
    }
    for login in logins {
        let secret = fs::read(clinic.state().join("secrets").join(login))?;
        files.push((format!("sekisho/logins/{login}"), secret));
    }
    Ok(files)
}
