//! Carrier on a port: of the line, and of the terminals.

use model::Symptom;

use crate::error::Error;
use crate::finding::Finding;
use crate::kernel::Port;

/// What the kernel says of the port called `name`.
pub fn probe(name: &str, port: &Result<Option<Port>, Error>) -> Finding {
    match port {
        Ok(Some(port)) if port.carrier => Finding::good(name),
        Ok(Some(_)) => Finding::bad(Symptom::NoCarrier, name),
        Ok(None) => Finding::bad(Symptom::NoPort, name),
        Err(error) => Finding::open(error.to_string()),
    }
}
