//! The firmware of the virtual board: OVMF, and variables in which Secure Boot is on with our keys and nobody else's.

use crate::build::Build;
use crate::error::{Error, at};
use crate::room::Room;
use crate::step::keys::Keys;

/// Enrols as; any fixed name would do.
const OWNER: &str = "7a0c5a3e-8f0e-4a52-9f65-9d2b4a1c7f00";

/// Makes `out/ovmf-code.fd` and `out/ovmf-vars.fd`.
pub fn make(build: &mut Build, room: &Room, keys: &Keys) -> Result<String, Error> {
    let key = build.key(&[&keys.mark]);
    let [code, vars] = ["ovmf-code.fd", "ovmf-vars.fd"].map(|name| build.place.out().join(name));
    build.step("board", key, &[code.clone(), vars.clone()], |build| {
        let shipped = build.place.tools().join("usr/share/OVMF/OVMF_CODE_4M.secboot.fd");
        std::fs::copy(&shipped, &code).map_err(at("copy", &shipped))?;
        let mut call = room
            .tool("virt-fw-vars", &build.log("board"))
            .args(["--input", "/usr/share/OVMF/OVMF_VARS_4M.fd", "--secure-boot"])
            .args([std::ffi::OsStr::new("--output"), vars.as_os_str()]);
        for (option, name) in [("--set-pk", "PK.crt"), ("--add-kek", "KEK.crt"), ("--add-db", "db.crt")] {
            call = call.args([option, OWNER]).arg(keys.file(name));
        }
        call.run("enrol the keys in the virtual board")
    })
}
