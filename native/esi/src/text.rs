//! Texts in several languages.

use crate::reader::Element;

/// `LcId` of English (United States), which a text without one is in.
pub const ENGLISH: u32 = 1033;

/// A text in the languages that a file has it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Language (`LcId`) and text, in the order of the file.
    pub all: Vec<(u32, String)>,
}

impl Texts {
    /// The text in a language; else in English, else the first one, else nothing.
    #[must_use]
    pub fn get(&self, language: u32) -> &str {
        let of = |wanted| self.all.iter().find(|(one, _)| *one == wanted);
        of(language).or_else(|| of(ENGLISH)).or(self.all.first()).map_or("", |(_, text)| text)
    }

    /// Whether one of them is this.
    #[must_use]
    pub fn contains(&self, wanted: &str) -> bool {
        self.all.iter().any(|(_, text)| text == wanted)
    }

    /// The children of that name.
    pub(crate) fn of(parent: &Element<'_>, name: &'static str) -> Self {
        let all = parent
            .children(name)
            .map(|element| {
                let language = element.attribute("LcId").and_then(|id| id.number());
                (language.unwrap_or(ENGLISH), element.text().into_owned())
            })
            .collect();
        Self { all }
    }
}
