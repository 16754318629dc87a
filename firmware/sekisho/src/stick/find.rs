//! What is on a stick: a pure walk over its files. Exactly one site file, and what it names; or why not.

use model::notice::Stick;
use model::{Profile, Site};
use tunnel::Provider;
use tunnel::provider::Authentication;

use super::{LARGEST_LOGIN, LARGEST_SECRET, LOGINS, LOGINS_MOST, SITE, is_login, is_plain, largest};
use crate::secret::is_a_file_s_name;

/// Why something could not be read, a line.
pub type Trouble = String;

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its size, bytes.
    pub size: u32,
    /// It is a folder.
    pub folder: bool,
}

/// The files of a stick, or a double of them. Names are met without case, as Windows does.
pub trait Files {
    /// The entries of a folder.
    fn list(&mut self, path: &[&str]) -> Result<Vec<Listed>, Trouble>;
    /// A file of a folder, if it is not larger than `most`.
    fn read(&mut self, path: &[&str], name: &str, most: u32) -> Result<Vec<u8>, Trouble>;
}

/// A file as it will lie on the box: name below the site's folder, text.
pub type Found = (String, String);

/// The folder a stick keeps our files in; its root otherwise.
const FOLDER: &str = "sekisho";
/// More site files than these are not counted on.
const COUNTED: usize = 32;

/// Finds the site file and what it names.
///
/// # Errors
/// Why the stick is refused.
pub fn find(files: &mut impl Files) -> Result<Vec<Found>, Stick> {
    let root = files.list(&[]).map_err(unreadable)?;
    let ours = root.iter().any(|entry| entry.folder && entry.name.eq_ignore_ascii_case(FOLDER));
    let path: &[&str] = if ours { &[FOLDER] } else { &[] };
    let entries = if ours { files.list(path).map_err(unreadable)? } else { root };
    let (name, text) = the_site_file(files, path, &entries)?;
    let mut found = vec![(SITE.to_owned(), text.clone())];
    found.extend(named(files, path, &entries, &text).map_err(|mistake| bad(&name, mistake))?);
    let proofs: Vec<String> = found.iter().filter_map(|(_, text)| secret_of_a_tunnel(text)).collect();
    found.extend(logins(files, path, &entries, &proofs)?);
    let session = Site::session_login_name(&text).map(|name| format!("{LOGINS}/{name}"));
    let unsayable = |(_, lines): &&Found| lines.lines().nth(1).is_some_and(is_a_file_s_name);
    if let Some((login, _)) = found.iter().filter(|(name, _)| Some(name) == session.as_ref()).find(unsayable)
    {
        let mistake =
            "a password that begins with @/ cannot be used on a line by PPPoE: have the carrier change it";
        return Err(bad(login, mistake.to_owned()));
    }
    Ok(found)
}

fn unreadable(reason: Trouble) -> Stick {
    Stick::Unreadable { reason: reason.chars().filter(|c| !c.is_control()).take(200).collect() }
}

fn bad(name: &str, mistake: String) -> Stick {
    Stick::BadSiteFile { mistakes: vec![format!("{name}: {mistake}")] }
}

/// The one `*.toml` that is a site file. One that cannot be parsed at all is taken for it where there is no other, so
/// that its mistakes are told; likewise one that cannot be read.
fn the_site_file(
    files: &mut impl Files,
    path: &[&str],
    entries: &[Listed],
) -> Result<(String, String), Stick> {
    let (mut site, mut broken, mut unread) = (Vec::new(), Vec::new(), None);
    // `._site.toml` is what macOS puts beside every file.
    let ours = |entry: &&Listed| !entry.folder && !entry.name.starts_with('.');
    let tomls = entries.iter().filter(ours).filter(|entry| has_ending(&entry.name, ".toml"));
    for entry in tomls.take(COUNTED) {
        match text(files, path, &entry.name, largest(&entry.name)) {
            Ok(text) => match Site::is_site_file(&text) {
                Some(true) => site.push((entry.name.clone(), text)),
                Some(false) => {}
                None => broken.push((entry.name.clone(), text)),
            },
            Err(mistake) => unread = unread.or_else(|| Some(bad(&entry.name, mistake))),
        }
    }
    if let (true, Some(refused)) = (site.is_empty(), unread) {
        return Err(refused);
    }
    let mut chosen = if site.is_empty() { broken } else { site };
    match (chosen.len(), chosen.pop()) {
        (1, Some(one)) => Ok(one),
        (0, _) => Err(Stick::NoSiteFile),
        (count, _) => Err(Stick::SeveralSiteFiles { count }),
    }
}

/// The profile beside the site file, and the authorities it names; a shipped profile is on the box already. What is
/// named and not there is left for the check to tell.
fn named(
    files: &mut impl Files,
    path: &[&str],
    entries: &[Listed],
    site: &str,
) -> Result<Vec<Found>, Trouble> {
    let mut found: Vec<Found> = Vec::new();
    let mut names: Vec<String> =
        [Site::profile_name(site), Site::provider_name(site), Site::cloud_provider_name(site)]
            .into_iter()
            .flatten()
            .filter(|name| has_ending(name, ".toml"))
            .chain(Site::cloud_authorities_name(site))
            .collect();
    while let Some(name) = names.pop() {
        let short = plain(&name)?;
        if found.iter().any(|(known, _)| *known == short) {
            continue;
        }
        let Some(text) = beside(files, path, entries, &name)? else { continue };
        names.extend(Profile::parse("", &text).ok().and_then(|profile| profile.centre_authorities));
        names.extend(Provider::parse("", &text, false).ok().and_then(authorities));
        found.push((short, text));
    }
    Ok(found)
}

/// The name of what proves the box to a provider of IPsec, if this text is his form.
fn secret_of_a_tunnel(text: &str) -> Option<String> {
    Some(Provider::parse("", text, false).ok()?.authentication.secret().to_owned())
}

/// The file of authorities that a provider's profile names.
fn authorities(provider: Provider) -> Option<String> {
    match provider.authentication {
        Authentication::Certificate { authorities, .. } => Some(authorities),
        Authentication::Psk { .. } => None,
    }
}

fn beside(
    files: &mut impl Files,
    path: &[&str],
    entries: &[Listed],
    name: &str,
) -> Result<Option<String>, Trouble> {
    let name = plain(name)?;
    let there = entries.iter().find(|entry| !entry.folder && entry.name.eq_ignore_ascii_case(&name));
    there.map(|entry| text(files, path, &entry.name, largest(&entry.name))).transpose()
}

/// A file beside the site file: `./NAME` or `NAME`, and never the site file itself.
fn plain(name: &str) -> Result<String, Trouble> {
    let short = name.strip_prefix("./").unwrap_or(name);
    let fits = is_plain(short) && !short.eq_ignore_ascii_case(SITE);
    fits.then(|| short.to_owned())
        .ok_or_else(|| format!("{short:?} must be another file beside the site file"))
}

/// `logins/NAME` or `logins/NAME.txt`, as an editor on Windows saves it.
fn logins(
    files: &mut impl Files,
    path: &[&str],
    entries: &[Listed],
    proofs: &[String],
) -> Result<Vec<Found>, Stick> {
    if !entries.iter().any(|entry| entry.folder && entry.name.eq_ignore_ascii_case(LOGINS)) {
        return Ok(Vec::new());
    }
    let path = [path, &[LOGINS]].concat();
    let mut found: Vec<Found> = Vec::new();
    let listed = files.list(&path).map_err(unreadable)?;
    for entry in listed.iter().filter(|entry| !entry.folder) {
        let name = entry.name.to_ascii_lowercase();
        let name = name.strip_suffix(".txt").unwrap_or(&name).to_owned();
        if !is_login(&name) || found.iter().any(|(other, _)| other.ends_with(&format!("/{name}"))) {
            continue;
        }
        if found.len() == LOGINS_MOST {
            break;
        }
        let lines = login(files, &path, &entry.name, proofs.contains(&name))
            .map_err(|mistake| bad(&format!("{LOGINS}/{name}"), mistake))?;
        found.push((format!("{LOGINS}/{name}"), lines));
    }
    Ok(found)
}

fn login(files: &mut impl Files, path: &[&str], name: &str, is_a_proof: bool) -> Result<String, Trouble> {
    if is_a_proof {
        return some_lines(&text(files, path, name, LARGEST_SECRET)?);
    }
    two_lines(&text(files, path, name, LARGEST_LOGIN)?)
}

/// A shared key, or key and certificate as PEM: whatever it is, its lines end as they do here.
fn some_lines(text: &str) -> Result<String, Trouble> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    if text.trim().is_empty() {
        return Err("the secret of a tunnel is empty".into());
    }
    Ok(format!("{}\n", lines.join("\n").trim_end()))
}

/// User and password, a line each; nothing of them is ever said.
fn two_lines(text: &str) -> Result<String, Trouble> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    match lines.as_slice() {
        [user, password, rest @ ..]
            if !user.is_empty() && !password.is_empty() && rest.iter().all(|line| line.is_empty()) =>
        {
            Ok(format!("{user}\n{password}\n"))
        }
        _ => Err("a login has two lines, user and password".into()),
    }
}

fn text(files: &mut impl Files, path: &[&str], name: &str, most: u32) -> Result<String, Trouble> {
    let bytes = files.read(path, name, most)?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
    // What an editor on Windows puts before a text.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending)
}
