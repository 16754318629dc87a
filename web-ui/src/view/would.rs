//! The form "would this pass?" and its answer. A question that was typed stays in the form.

use model::policy::{Answer, BOX, Explanation, Mistake, OTHER, Question};
use model::{Language, Site, Text, Zone};

use crate::words;

/// The form with what was typed, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Would {
    /// The language of every text in it.
    pub language: Language,
    /// What was typed.
    pub question: Question,
    /// The zones to choose from.
    pub zones: Vec<Choice>,
    /// The protocols.
    pub protocols: Vec<Choice>,
    /// The states.
    pub states: Vec<Choice>,
    /// What came of it; nothing was asked if none.
    pub told: Option<Told>,
}

/// One choice of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its value in the question.
    pub key: &'static str,
    /// What a person reads.
    pub name: &'static str,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The answer.
    Explained(Box<Explained>),
    /// Mistakes: the field's name, and what is wrong.
    Wrong(Vec<(&'static str, String)>),
    /// Something is not understood.
    Unclear(String),
    /// Nobody answers.
    Silence,
}

/// An answer in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whether it passes.
    pub passes: bool,
    /// The packet.
    pub packet: String,
    /// The line that decides: what it stands for, and its id; none where a chain's policy does.
    pub line: Option<(String, String)>,
    /// The rule in nft's words.
    pub rule: String,
    /// The chains it went through.
    pub way: String,
}

impl Would {
    /// The form, and what came of what was typed into it.
    pub fn new(
        question: Question,
        asked: bool,
        answer: Option<Answer>,
        site: &Site,
        language: Language,
    ) -> Self {
        let choice = |key, name: Text| Choice { key, name: name.get(language) };
        let there = |zone: &Zone| site.interface(*zone).is_some();
        let mut zones: Vec<Choice> =
            Zone::ALL.into_iter().filter(there).map(|zone| choice(zone.key(), zone.name())).collect();
        zones.extend([choice("box", BOX), choice("other", OTHER)]);
        let plain = |key, name| Choice { key, name };
        Self {
            language,
            question,
            zones,
            protocols: vec![plain("tcp", "TCP"), plain("udp", "UDP"), plain("icmp", "ICMP / ICMPv6")],
            states: vec![choice("", words::Q_FIRST), choice("established", words::Q_OPEN)],
            told: asked.then(|| told(answer, language)),
        }
    }

    /// A fixed text in the page's language.
    pub const fn say(&self, text: Text) -> &'static str {
        text.get(self.language)
    }
}

fn told(answer: Option<Answer>, language: Language) -> Told {
    match answer {
        Some(Answer::Told(told)) => Told::Explained(Box::new(explained(*told, language))),
        Some(Answer::Wrong { mistakes }) => {
            let each = |one: Mistake| (label(&one.field).get(language), one.says.get(language).to_owned());
            Told::Wrong(mistakes.into_iter().map(each).collect())
        }
        Some(Answer::Unclear { reason }) => Told::Unclear(reason),
        None => Told::Silence,
    }
}

fn explained(told: Explanation, language: Language) -> Explained {
    let way: Vec<String> = told.way.into_iter().map(|stop| stop.chain).collect();
    Explained {
        passes: told.passes,
        packet: told.packet.get(language).to_owned(),
        line: told.line.map(|line| (line.says.get(language).to_owned(), line.id)),
        rule: told.rule,
        way: way.join(" → "),
    }
}

/// What a field is called.
fn label(field: &str) -> Text {
    match field {
        "from" => words::Q_FROM,
        "to" => words::Q_TO,
        "in" => words::Q_IN,
        "src" => words::Q_SRC,
        "dst" => words::Q_DST,
        "proto" => words::Q_PROTO,
        "dport" => words::Q_DPORT,
        "sport" => words::Q_SPORT,
        "icmp-type" => words::Q_ICMP,
        _ => words::Q_STATE,
    }
}
