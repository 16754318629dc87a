//! What the clinic does for the box, tried with a stand-in for sekisho: the real one has its own cases.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clinic::Clinic;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::scene::left;

/// `generate` writes a share with one account, `daemon` says that it is ready and stays.
const STAND_IN: &str = r#"#!/bin/sh
set -e
verb=$1
while [ $# -gt 1 ]; do case $1 in --state) state=$2 ;; --to) to=$2 ;; esac; shift; done
if [ "$verb" = daemon ]; then echo ready; exec sleep 1000; fi
to=$to/samba
mkdir -p "$to" "$state/share/OQS/req"
chmod 0777 "$state/share/OQS/req"
printf 'receipt\nsecret-of-the-share\n' > "$state/secrets/share-receipt"
echo "receipt:$state/secrets/share-receipt" > "$to/smb.users"
cat > "$to/smb.conf" <<END
[global]
  interfaces = lan0
  bind interfaces only = yes
  smb ports = 445
  disable netbios = yes
  passdb backend = tdbsam:$to/passdb.tdb
  private dir = $to
  lock directory = $to
  state directory = $to
  cache directory = $to
  pid directory = $to
  ncalrpc dir = $to/ncalrpc
  log file = $to/smbd.log
[OQS]
  path = $state/share/OQS
  read only = no
END
"#;

fn stand_in(folder: &tempfile::TempDir) -> PathBuf {
    let program = folder.path().join("sekisho");
    std::fs::write(&program, STAND_IN).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn runs(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

#[test]
fn the_boxs_share_is_served_as_sekisho_configured_it_and_the_daemon_can_crash_and_return() {
    let (name, folder) = ("box-stand-in", tempfile::tempdir().unwrap());
    let clinic = Clinic::up_with(name, &["--sekisho", stand_in(&folder).to_str().unwrap()]).unwrap();
    let status = clinic.status().unwrap();
    assert_eq!(status.shares.clinic.unwrap().user, "receipt");

    std::fs::write(folder.path().join("a.xml"), "<XmlMsg/>").unwrap();
    let from = folder.path().display();
    let put = clinic.smbclient(&format!("lcd {from}; cd req; put a.xml")).unwrap();
    assert!(put.status.success(), "{put:?}");
    assert_eq!(std::fs::read_to_string(clinic.clinic_folder().join("req/a.xml")).unwrap(), "<XmlMsg/>");

    let first = status.the_box.pids["netd"];
    assert!(runs(first) && runs(status.the_box.pids["smbd"]));
    clinic.kill_daemon().unwrap();
    assert!(!clinic.status().unwrap().the_box.pids.contains_key("netd"));
    clinic.start_daemon(&[]).unwrap();
    assert_ne!(clinic.status().unwrap().the_box.pids["netd"], first);
    drop(clinic);
    assert_eq!(left(name), [""; 0]);
}
