//! Tables of the tools before nft (iptables, ip6tables, arptables): the kernel keeps them apart, and nft lists none.
//! Where none of these tools was ever used the files are not there, or only root may read them because something loaded
//! the module: then a module of which no other makes use has no table.

use std::fs;
use std::io::ErrorKind;

/// The kernel's module and the tool. Its tables are told in the thread's own network namespace.
const TOOLS: [(&str, &str); 3] =
    [("ip_tables", "iptables"), ("ip6_tables", "ip6tables"), ("arp_tables", "arptables")];

pub(super) fn look() -> Vec<String> {
    TOOLS.into_iter().flat_map(|(module, tool)| tables(module, tool)).collect()
}

fn tables(module: &str, tool: &str) -> Vec<String> {
    let path = format!("/proc/thread-self/net/{module}_names");
    match fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|table| format!("the table {table} of {tool}")).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) if error.kind() == ErrorKind::PermissionDenied && has_no_user(module) => Vec::new(),
        Err(error) => vec![format!("what {path} would tell of {tool} ({error})")],
    }
}

/// Each table is a module of its own that makes use of this one, unless they are built in; then nothing is known.
fn has_no_user(module: &str) -> bool {
    fs::read_to_string("/proc/modules").is_ok_and(|text| is_unused(&text, module))
}

/// A line is name, size, how often it is used, by whom ("-": by nobody), state, address.
fn is_unused(modules: &str, module: &str) -> bool {
    let mut lines = modules.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.any(|words| matches!(words[..], [name, _, "0", "-", ..] if name == module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_no_table_if_it_is_there_and_nobody_makes_use_of_it() {
        let modules = "x_tables 61440 1 ip_tables, Live 0x0\nip_tables 36864 0 - Live 0x0\n\
                       ip6_tables 36864 1 ip6table_filter, Live 0x0\narp_tables 28672 1 - Live 0x0\n";
        assert!(is_unused(modules, "ip_tables"));
        for used in ["ip6_tables", "arp_tables", "x_tables", "ip_table", "built_in"] {
            assert!(!is_unused(modules, used), "{used}");
        }
    }
}
