//! The licences' page: one HTML file that goes with the image and needs nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Parts;
use super::crates::Crate;
use crate::error::{Error, at};

/// Names that files with terms or notices begin with.
const TERMS: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// The page. A text that several share is there once.
pub fn page(parts: &Parts, version: &str) -> Result<String, Error> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut common: Option<PathBuf> = None;
    for package in &parts.packages {
        let Some(file) = &package.copyright else { continue };
        let text = read(file)?;
        texts.entry(text).or_default().push(format!("{} {} (Debian)", package.name, package.version));
        common = common.or_else(|| file.ancestors().nth(3).map(|share| share.join("common-licenses")));
    }
    let mut wordless = Vec::new();
    for one in &parts.crates {
        let files = terms(&one.folder)?;
        if files.is_empty() {
            wordless.push(one);
        }
        for file in files {
            texts
                .entry(read(&file)?)
                .or_default()
                .push(format!("{} {} ({})", one.name, one.version, one.licence));
        }
    }
    let mut html = head(version);
    list(&mut html, parts, &wordless);
    for (number, (text, names)) in by_name(texts).into_iter().enumerate() {
        section(&mut html, &format!("t{number}"), &names.join(", "), &text);
    }
    for file in common.map(|folder| files_of(&folder)).transpose()?.unwrap_or_default() {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        section(&mut html, &name, &format!("{name}, as Debian's texts name it"), &read(&file)?);
    }
    html.push_str("</body></html>\n");
    Ok(html)
}

fn head(version: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Licences of Sekisho {version}</title>\
         <style>body{{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}pre{{white-space:pre-wrap}}\
         summary{{cursor:pointer}}</style></head><body>\n<h1>Licences of Sekisho {version}</h1>\n\
         <p>Sekisho itself is under Apache-2.0 or MIT, as you like. It stands on the work of the people named here.</p>\n"
    )
}

fn list(html: &mut String, parts: &Parts, wordless: &[&Crate]) {
    let _ = writeln!(
        html,
        "<p>{} Debian packages, {} crates, Rust's library ({}; MIT or Apache-2.0).</p>",
        parts.packages.len(),
        parts.crates.len(),
        escaped(&parts.compiler)
    );
    if !wordless.is_empty() {
        html.push_str("<p>Crates that bring no text of their own, with the licence they name: ");
        let named: Vec<String> = wordless
            .iter()
            .map(|one| escaped(&format!("{} {} ({})", one.name, one.version, one.licence)))
            .collect();
        let _ = writeln!(html, "{}.</p>", named.join(", "));
    }
}

fn section(html: &mut String, id: &str, title: &str, text: &str) {
    let (id, title, text) = (escaped(id), escaped(title), escaped(text));
    let _ = writeln!(html, "<details id=\"{id}\"><summary>{title}</summary><pre>{text}</pre></details>");
}

fn by_name(texts: BTreeMap<String, Vec<String>>) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<_> = texts.into_iter().collect();
    all.sort_by(|(_, one), (_, other)| one.cmp(other));
    all
}

fn terms(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_terms = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        TERMS.iter().any(|term| name.starts_with(term)) && !name.ends_with(".rs")
    };
    Ok(files_of(folder)?.into_iter().filter(is_terms).collect())
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(at("read", folder))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(at("read", path))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_of_two_crates_is_there_once_and_cannot_become_markup() {
        let place = tempfile::tempdir().unwrap();
        let one = |name: &str| {
            let folder = place.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("LICENSE-MIT"), "Copyright <b>us</b>\n").unwrap();
            Crate { name: name.into(), version: "1".into(), licence: "MIT".into(), checksum: None, folder }
        };
        let parts =
            Parts { packages: Vec::new(), crates: vec![one("a"), one("b")], compiler: "rustc 1".into() };
        let html = page(&parts, "1").unwrap();
        assert_eq!(html.matches("Copyright &lt;b&gt;us&lt;/b&gt;").count(), 1);
        assert!(html.contains("a 1 (MIT), b 1 (MIT)"));
    }
}
