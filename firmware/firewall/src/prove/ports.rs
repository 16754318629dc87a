//! Ports as numbers: 0 is no port (a packet of the box itself has come in by none), 1 stands for every port
//! that nobody names, and the named ones follow.

use super::span::Span;

/// The port a packet of the box has come in by, or one to it leaves by.
pub(super) const NO_PORT: u128 = 0;
/// Any port nobody names.
pub(super) const STRANGER: u128 = 1;

#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    names: Vec<String>,
}

impl Ports {
    /// The port's number, given at its first mention.
    pub(super) fn number(&mut self, name: &str) -> u128 {
        let place = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        place as u128 + 2
    }

    pub(super) fn span(&mut self, names: &[String]) -> Span {
        Span::any_of(names.iter().map(|name| Span::one(self.number(name))))
    }

    /// The name behind a number. A stranger gets a name no ruleset mentions.
    pub(super) fn name(&self, number: u128) -> String {
        match number {
            NO_PORT => String::new(),
            STRANGER => {
                let mut name = "unplanned0".to_owned();
                while self.names.contains(&name) {
                    name.push('0');
                }
                name
            }
            _ => usize::try_from(number - 2)
                .ok()
                .and_then(|place| self.names.get(place))
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// Every port there is, named or not.
    pub(super) fn every(&self) -> Span {
        Span::range(STRANGER, self.names.len() as u128 + 1)
    }
}
