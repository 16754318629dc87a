//! The page over real sockets: routes, headers, languages, the live stream, both doors.

#[cfg(test)]
mod doors;

#[cfg(test)]
#[path = "../samples/mod.rs"]
mod samples;
