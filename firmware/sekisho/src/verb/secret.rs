//! `sekisho secret fingerprint`: whether a shared key is another site's too, by a list on the installer's side. The list has
//! fingerprints only, keyed with a sentence that the installer keeps: who finds it learns no key.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use tunnel::psk;

use crate::cli::{Secret, SecretVerb};
use crate::failure::Failure;
use crate::{files, output};

/// Holds a key against the list, and enters it if a site is named.
///
/// # Errors
/// [`Failure::Data`] in one sentence if the key can be guessed, or another site has it; a file that cannot be read or written.
pub fn run(args: &Secret) -> Result<ExitCode, Failure> {
    let SecretVerb::Fingerprint { key, list, sentence, site } = &args.verb;
    let text = read(key)?;
    let wrong = |reason: String| Failure::Data { path: key.clone(), reason };
    if let Some(weakness) = psk::weakness(text.trim_end()) {
        return Err(wrong(format!("this shared key can be guessed: {weakness}")));
    }
    let print = psk::fingerprint(&psk::list_key(read(sentence)?.trim_end()), text.trim_end());
    let known = known(list)?;
    match (psk::whose(&known, &print), site) {
        (Some(other), Some(site)) if other == site => {}
        (Some(other), _) => {
            return Err(wrong(format!(
                "the site {other:?} has this shared key already: each site needs its own"
            )));
        }
        (None, Some(site)) => files::replace(list, format!("{known}{print} {site}\n"), 0o600)?,
        (None, None) => {}
    }
    output::print(&format!("{print}: no other site of the list has this shared key"));
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}

/// The list; none yet is an empty one.
fn known(list: &Path) -> Result<String, Failure> {
    match fs::read_to_string(list) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|source| Failure::Read { path: list.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_entered_once_and_another_site_is_refused_by_name_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("key"), "kx7-Ru2!mm0q-hYc4-Ptz9\n").unwrap();
        fs::write(at("sentence"), "the installer's own sentence\n").unwrap();
        let ask = |site: Option<&str>| {
            let (key, list, sentence) = (at("key"), at("list"), at("sentence"));
            let site = site.map(str::to_owned);
            run(&Secret { verb: SecretVerb::Fingerprint { key, list, sentence, site } })
        };
        ask(Some("clinic-a")).unwrap();
        ask(Some("clinic-a")).unwrap();
        let refused = ask(Some("clinic-b")).unwrap_err().to_string();
        assert!(refused.contains("clinic-a") && !refused.contains("kx7"), "{refused}");
        let list = fs::read_to_string(at("list")).unwrap();
        assert!(list.lines().count() == 1 && !list.contains("kx7"), "{list}");
        fs::write(at("key"), "clinic123\n").unwrap();
        assert!(ask(None).unwrap_err().to_string().contains("guessed"));
    }
}
