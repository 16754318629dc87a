//! A maintainer in the site file, and somebody in the clinic who holds the box's button for him. His gateway itself, where one
//! stands, is [`crate::check::afar`].

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::check::afar::{self, CLOSED, INTERNET};
use crate::error::{Error, at, doing};
use crate::fault::Maintained;
use crate::ground::Ground;
use crate::the_box;

/// How long the box may take until it trusts its clock: without that nobody is let in.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const BREATH: Duration = Duration::from_millis(200);
/// The button is held for so long, milliseconds.
const HELD: u32 = 3500;

/// What the site file says of him.
pub fn table(how: Maintained) -> Result<String, Error> {
    let way = match how {
        Maintained::No => return Ok(String::new()),
        Maintained::ByLine => CLOSED,
        Maintained::ByInternet => INTERNET,
    };
    let made = afar::identity("sato.maintainer.test", 86_400);
    let (certificate, _) =
        made.map_err(|wrong| doing("make a certificate")(std::io::Error::other(wrong.0)))?;
    Ok(afar::site_table(&certificate, &way))
}

/// Holds the button until maintenance is open.
pub fn consent(ground: &Ground) -> Result<(), Error> {
    let end = Instant::now() + PATIENCE;
    while !press(ground)?.contains("opened") {
        if Instant::now() > end {
            return Err(Error::Late { what: "a consent by the button".into(), seconds: PATIENCE.as_secs() });
        }
        std::thread::park_timeout(BREATH);
    }
    Ok(())
}

/// What the box answers.
fn press(ground: &Ground) -> Result<String, Error> {
    let socket = the_box::socket(&ground.place).join("boardd/boardd.sock");
    let mut stream = UnixStream::connect(&socket).map_err(at(&socket))?;
    let body = HELD.to_string();
    let head = "POST /press HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).map_err(at(&socket))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(at(&socket))?;
    Ok(answer)
}
