//! The box's clock, set by the line's time server; and the terminals' time server.

use std::fmt::Write as _;

use model::Site;

use super::Places;

/// The `chrony.conf` of a site.
///
/// While the box itself has no time from the line it answers as not synchronised: a wrong clock is not handed on.
pub fn config(site: &Site, places: &Places<'_>) -> String {
    let mut text = super::HEAD.to_owned();
    let _ = writeln!(text, "server {} iburst", site.profile.time);
    // A box without a battery begins years ago; later steps would tear the times in the journal apart.
    text.push_str("makestep 1.0 3\nrtcsync\n");
    let _ = writeln!(text, "driftfile {}", places.state.join("chrony/drift").display());
    let _ = writeln!(text, "pidfile {}", places.to.join("chrony/chronyd.pid").display());
    text.push_str("# No way to command it, and no socket for that.\ncmdport 0\nbindcmdaddress /\n");
    let _ = writeln!(text, "bindaddress {}", site.terminal_zone.address);
    for terminal in &site.terminals {
        let _ = writeln!(text, "allow {}", terminal.address);
    }
    text
}
