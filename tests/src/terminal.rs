//! The qualification terminal: its share, and the link application's double.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::fault::World;
use crate::ground::{Daemons, Ground, args, text};
use crate::plan::{Host, Place, TheBox};
use crate::process::Process;
use crate::roles;
use crate::samba::{self, Login};

/// The name of its smbd among the daemons.
pub const SMBD: &str = "terminal-smbd";
/// The account of its share.
pub const USER: &str = "oqs";

/// Its shared folder.
pub fn share(place: &Place) -> PathBuf {
    place.at("terminal/OQS")
}

/// Where the box has user and password of its share.
pub fn secret(place: &Place) -> PathBuf {
    place.at("state/secrets/t1")
}

/// Where the link application's double is steered.
pub fn control(place: &Place) -> PathBuf {
    place.run(Host::Terminal).join("oqs.sock")
}

/// Makes the share and its account, starts smbd and the link application, and waits for both.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    let share = share(&ground.place);
    let number = samba::account(ground, Host::Terminal, USER, 0)?;
    // The share itself too: its account may make folders in it.
    for folder in ["", "req", "res", "face"] {
        let path = share.join(folder);
        fs::create_dir_all(&path).map_err(at(&path))?;
        chown(&path, Some(number), Some(number)).map_err(at(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).map_err(at(&path))?;
    }
    let values =
        [("run", text(&ground.place.run(Host::Terminal))), ("share", text(&share)), ("user", USER.into())];
    let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
    ground.write(Host::Terminal, "smb.conf", include_str!("../lab/terminal-smb.conf"), &values)?;
    let login = secret(&ground.place);
    Login::fresh(USER)?.write(&login)?;
    if ground.the_box == TheBox::Split {
        chown(&login, Some(roles::OWNER), Some(roles::OWNER)).map_err(at(&login))?;
    }
    let oqs = Daemon {
        name: "faux-oqs",
        program: ground.tools.oqs.clone(),
        args: args(["--root", &text(&share), "--control", &text(&control(&ground.place))]),
        ready: Ready::Said,
    };
    let oqs = oqs.start(&ground.place, ground.door(Host::Terminal))?;
    set_password(ground, world)?;
    let mut daemons = Daemons::new();
    if world.share {
        daemons.insert(SMBD.into(), smbd(ground)?);
    }
    daemons.insert("faux-oqs".into(), oqs.wait()?);
    Ok(daemons)
}

/// Starts smbd and waits until it serves.
pub fn smbd(ground: &Ground) -> Result<Process, Error> {
    samba::start(ground, Host::Terminal, SMBD, &config(ground))?.wait()
}

/// Sets the share's password: the one the box knows, or another.
pub fn set_password(ground: &Ground, world: &World) -> Result<(), Error> {
    let login =
        if world.password_changed { Login::fresh(USER)? } else { Login::read(&secret(&ground.place))? };
    samba::set_password(ground, Host::Terminal, &config(ground), &login)
}

fn config(ground: &Ground) -> String {
    text(&ground.place.run(Host::Terminal).join("smb.conf"))
}
