//! The qualification terminal: its share, and the link application's double.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::change::share;
use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::fault::{Oqs, World};
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::Line;
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

/// One line to the link application's double, one line back.
pub fn steer(place: &Place, setting: &str) -> Result<String, Error> {
    let path = control(place);
    let mut socket = UnixStream::connect(&path).map_err(at(&path))?;
    writeln!(socket, "{setting}").map_err(at(&path))?;
    let mut answer = String::new();
    BufReader::new(socket).read_line(&mut answer).map_err(at(&path))?;
    match answer.trim_end().strip_prefix("err ") {
        Some(why) => Err(Error::Usage(format!("steer {}: {why}", Host::Terminal))),
        None => Ok(answer),
    }
}

/// Tells the link application's double how it works from now on; what stays as it was is left alone, because a person
/// may have set it.
pub fn work(ground: &Ground, from: Oqs, to: Oqs) -> Result<(), Error> {
    let place = &ground.place;
    let word = |on| if on { "on" } else { "off" };
    if from.stopped != to.stopped {
        steer(place, &format!("stopped={}", word(to.stopped)))?;
    }
    if from.mute != to.mute {
        steer(place, &format!("mute={}", word(to.mute)))?;
    }
    if from.answer != to.answer {
        steer(place, &format!("answer={}", to.answer))?;
    }
    let by_ipsec = ground.layout.line == Line::Ipsec;
    if from.asks_elsewhere != to.asks_elsewhere {
        let elsewhere = if by_ipsec { "203.0.113.99" } else { "2001:db8:9::53" };
        steer(place, &format!("asks={}", if to.asks_elsewhere { elsewhere } else { "nobody" }))?;
    }
    if from.calls != to.calls {
        let centre = if by_ipsec { "203.0.113.10:443" } else { "[2001:db8:0:cc::10]:443" };
        steer(place, &format!("calls={}", if to.calls { centre } else { "nobody" }))?;
    }
    Ok(())
}

/// Makes the share and its account, starts smbd and the link application, and waits for both.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    let share = share(&ground.place);
    let number = samba::account(ground, Host::Terminal, USER, 0)?;
    folders(&share, number)?;
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
        environment: Vec::new(),
    };
    let oqs = oqs.start(&ground.place, ground.door(Host::Terminal))?;
    set_password(ground, world)?;
    let oqs = oqs.wait()?;
    work(ground, Oqs::default(), world.oqs)?;
    share::change(ground, &World::with([]), world)?;
    let mut daemons = Daemons::new();
    if world.share {
        daemons.insert(SMBD.into(), smbd(ground)?);
    }
    daemons.insert("faux-oqs".into(), oqs);
    Ok(daemons)
}

/// The folders of a share, for its account.
pub fn folders(share: &Path, account: u32) -> Result<(), Error> {
    // The share itself too: its account may make folders in it.
    for folder in ["", "req", "res", "face"] {
        let path = share.join(folder);
        fs::create_dir_all(&path).map_err(at(&path))?;
        chown(&path, Some(account), Some(account)).map_err(at(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).map_err(at(&path))?;
    }
    Ok(())
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
