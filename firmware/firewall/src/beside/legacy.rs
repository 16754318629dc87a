//! Tables of the tools before nft (iptables, ip6tables, arptables): the kernel keeps them apart, and nft lists none.
//! Where none of these tools was ever used the files are not there.

use std::fs;
use std::io::ErrorKind;

/// Of the thread's own network namespace.
const FILES: [(&str, &str); 3] =
    [("ip_tables_names", "iptables"), ("ip6_tables_names", "ip6tables"), ("arp_tables_names", "arptables")];

pub(super) fn look() -> Vec<String> {
    FILES
        .into_iter()
        .flat_map(|(file, tool)| tables(&format!("/proc/thread-self/net/{file}"), tool))
        .collect()
}

fn tables(path: &str, tool: &str) -> Vec<String> {
    match fs::read_to_string(path) {
        Ok(text) => text.lines().map(|table| format!("the table {table} of {tool}")).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![format!("what {path} would tell of {tool} ({error})")],
    }
}
