//! How a result is shown to the model that asked. It decides nothing about what is in it.

use serde::{Deserialize, Serialize};

/// The form of a result's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultForm {
    /// Each row is an object: `{"rows":[{"id":1}]}`.
    #[default]
    Rows,
    /// The names stand once and each row is a list: `{"columns":["id"],"rows":[[1]]}`.
    Table,
}

/// Whether the text around the data says that it is data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marking {
    /// The data stand alone.
    #[default]
    Bare,
    /// They stand between marks that they cannot hold.
    Marked,
}

/// Both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presentation {
    /// The form of the rows.
    pub result: ResultForm,
    /// Whether they are marked as data.
    pub marking: Marking,
}

impl Presentation {
    /// The same where something else is written for one tool.
    #[must_use]
    pub fn or(self, result: Option<ResultForm>, fence: Option<bool>) -> Self {
        let marking = match fence {
            Some(true) => Marking::Marked,
            Some(false) => Marking::Bare,
            None => self.marking,
        };
        Self { result: result.unwrap_or(self.result), marking }
    }
}
