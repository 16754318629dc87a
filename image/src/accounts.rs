//! The accounts: nobody has a password or a shell, so there is no way in but the product's own.

use std::path::Path;

use crate::error::{Error, at};
use crate::place::clear;

const NO_SHELL: &str = "/usr/sbin/nologin";

/// Rewrites passwd, shadow and gshadow of a tree.
pub fn close(tree: &Path) -> Result<(), Error> {
    let etc = tree.join("etc");
    rewrite(&etc.join("passwd"), without_shell)?;
    rewrite(&etc.join("shadow"), without_password)?;
    for old in ["passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock", "subuid", "subgid", "shells"] {
        clear(&etc.join(old))?;
    }
    Ok(())
}

fn rewrite(file: &Path, change: fn(&str) -> String) -> Result<(), Error> {
    let text = std::fs::read_to_string(file).map_err(at("read", file))?;
    std::fs::write(file, change(&text)).map_err(at("write", file))
}

fn without_shell(passwd: &str) -> String {
    each_line(passwd, |fields| {
        if let [.., shell] = fields {
            *shell = NO_SHELL;
        }
    })
}

/// `!*` is no hash and locks the account; the day of the last change would only tell when the image was built.
fn without_password(shadow: &str) -> String {
    each_line(shadow, |fields| {
        if let [_, password, changed, ..] = fields {
            (*password, *changed) = ("!*", "");
        }
    })
}

fn each_line(text: &str, change: impl Fn(&mut [&str])) -> String {
    text.lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split(':').collect();
            change(&mut fields);
            fields.join(":") + "\n"
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_keeps_a_shell_or_a_password() {
        assert_eq!(
            without_shell("root:x:0:0:root:/root:/bin/bash\nsync:x:4:65534:sync:/bin:/bin/sync\n"),
            "root:x:0:0:root:/root:/usr/sbin/nologin\nsync:x:4:65534:sync:/bin:/usr/sbin/nologin\n"
        );
        assert_eq!(
            without_password("root::20000:0:99999:7:::\nx:$6$a:20000::::::\n"),
            "root:!*::0:99999:7:::\nx:!*:::::::\n"
        );
    }
}
