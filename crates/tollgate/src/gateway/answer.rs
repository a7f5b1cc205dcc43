//! What a call produced, as the object that is answered. It never looks into the rows.

use std::fmt::Write as _;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::value::RawValue;
use tollgate_backends::Executed;
use tollgate_core::{
    names::{Code, Marking, Refusal, ResultForm},
    tools::BoundCall,
};

use crate::protocol::host::{CallReply, Tag};

/// What a call produced.
pub(super) struct Produced {
    pub(super) executed: Executed,
    next_cursor: Option<String>,
    /// The names of the columns, where the rows do not have them.
    columns: Option<Vec<String>>,
    marking: Marking,
}

impl Produced {
    /// The rows of a bound call.
    pub(super) fn new(bound: &BoundCall, executed: Executed, next_cursor: Option<String>) -> Self {
        let columns = match bound.presentation.result {
            ResultForm::Rows => None,
            ResultForm::Table => Some(bound.statement.columns().iter().map(|column| column.name.clone()).collect()),
        };
        Self { executed, next_cursor, columns, marking: bound.presentation.marking }
    }

    /// `{"rows":[…],"row_count":n,"truncated":false,"next_cursor":null}`, with the columns' names first where the rows lack them.
    pub(super) fn into_reply(self, call_id: String) -> CallReply {
        let Some(json) = self.object() else {
            return broken(call_id, "a backend encoded rows that are not JSON; this is a bug in Tollgate");
        };
        let marked = match self.marking {
            Marking::Bare => None,
            Marking::Marked => match tag() {
                Some(tag) => Some(tag),
                None => return broken(call_id, "the operating system gave no random bytes to mark a result with"),
            },
        };
        CallReply::Rows { json, marked, call_id }
    }

    fn object(&self) -> Option<Box<RawValue>> {
        let rows = &self.executed.rows;
        let array = std::str::from_utf8(&rows.json).ok()?;
        let columns = match &self.columns {
            Some(names) => format!("\"columns\":{},", serde_json::to_string(names).ok()?),
            None => String::new(),
        };
        let cursor = self.next_cursor.as_ref().map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
        let (count, truncated) = (rows.count, rows.truncated.is_some());
        let mut object = String::with_capacity(array.len() + columns.len() + cursor.len() + 80);
        // Writing to a string cannot fail.
        let _ = write!(object, "{{{columns}\"rows\":");
        object.push_str(array);
        let _ = write!(object, ",\"row_count\":{count},\"truncated\":{truncated},\"next_cursor\":{cursor}}}");
        RawValue::from_string(object).ok()
    }
}

/// A mark of this one answer, made after its rows were read: nothing in them can hold it but by guessing 128 bits.
fn tag() -> Option<Tag> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(Tag::new(u128::from_be_bytes(bytes)))
}

fn broken(call_id: String, why: &str) -> CallReply {
    tracing::error!(call_id, "{why}");
    let refusal = Refusal::new(Code::INTERNAL, "an internal error; the operator's log says more");
    CallReply::Refused { refusal, call_id }
}
