//! Two languages, always both: a text that lacks one does not compile.

use serde::{Deserialize, Serialize};

/// A language the box speaks. Japanese is what staff read; English is for engineers and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// 日本語
    #[default]
    Ja,
    /// English
    En,
}

/// One text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// 日本語
    pub ja: &'static str,
    /// English
    pub en: &'static str,
}

impl Text {
    /// Both languages at once; Japanese first, as on the page.
    pub const fn new(ja: &'static str, en: &'static str) -> Self {
        Self { ja, en }
    }

    /// The text in one language.
    pub const fn get(&self, language: Language) -> &'static str {
        match language {
            Language::Ja => self.ja,
            Language::En => self.en,
        }
    }
}
