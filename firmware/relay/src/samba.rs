//! The configuration of the box's own share: SMB 3 on the clinic's address and nowhere else.

use std::fmt::Write as _;
use std::path::Path;

use model::Site;

/// The whole `smb.conf` of the box's share.
///
/// - SMB 3 only, signed and encrypted, no guest: the share carries patients' data over the clinic's cables.
/// - One interface, and bound to it: a host of another zone never meets smbd, whatever password it has.
/// - Leases, oplocks and durable handles are off: with a handle lease a Windows client puts its close off for
///   seconds, and the close is what the relay waits for.
/// - Links are never followed, and names that begin with a dot (our temporary ones) are not served.
///
/// `share` is the exported folder, `owner` the user files are written as, `run` the folder of Samba's own state.
pub fn config(site: &Site, share: &Path, owner: &str, run: &Path) -> String {
    let mut text = global(site, run);
    let users: Vec<&str> = site.consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    let _ = write!(
        text,
        "\n[OQS]\n\
         path = {share}\n\
         valid users = {users}\n\
         force user = {owner}\n\
         read only = no\n\
         guest ok = no\n\
         create mask = 0660\n\
         directory mask = 0770\n\
         follow symlinks = no\n\
         wide links = no\n\
         veto files = /.*/\n\
         map archive = no\n\
         store dos attributes = no\n\
         ea support = no\n\
         strict sync = yes\n\
         inherit acls = no\n",
        share = share.display(),
        users = users.join(" "),
    );
    text
}

fn global(site: &Site, run: &Path) -> String {
    let run = run.display();
    format!(
        "# Written by sekisho from the site file; edited by nobody.\n\
         [global]\n\
         server role = standalone server\n\
         server min protocol = SMB3_00\n\
         server signing = mandatory\n\
         server smb encrypt = required\n\
         interfaces = {address}\n\
         bind interfaces only = yes\n\
         smb ports = 445\n\
         disable netbios = yes\n\
         map to guest = never\n\
         restrict anonymous = 2\n\
         unix extensions = no\n\
         allow insecure wide links = no\n\
         load printers = no\n\
         disable spoolss = yes\n\
         printing = bsd\n\
         printcap name = /dev/null\n\
         oplocks = no\n\
         level2 oplocks = no\n\
         smb2 leases = no\n\
         durable handles = no\n\
         passdb backend = tdbsam:{run}/passdb.tdb\n\
         private dir = {run}/private\n\
         lock directory = {run}/lock\n\
         state directory = {run}/state\n\
         cache directory = {run}/cache\n\
         pid directory = {run}\n\
         ncalrpc dir = {run}/ncalrpc\n\
         logging = file\n\
         log file = {run}/smbd.log\n\
         max log size = 256\n\
         log level = 0\n",
        address = site.clinic.address,
    )
}

#[cfg(test)]
mod tests {
    use model::{Profile, Site};

    use super::*;

    #[test]
    fn the_whole_configuration() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/data");
        let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
        let profile = Profile::parse("profile.toml", &read("profile.toml"));
        let site = Site::parse("site.toml", &read("site.toml"), profile).unwrap();
        insta::assert_snapshot!(config(
            &site,
            Path::new("/state/share/OQS"),
            "relay",
            Path::new("/run/samba")
        ));
    }
}
