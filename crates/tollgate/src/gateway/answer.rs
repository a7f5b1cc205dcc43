//! What a call produced, as the object that is answered. It never looks into the rows.

use std::fmt::Write as _;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::value::RawValue;
use tollgate_backends::{Executed, Truncation};
use tollgate_core::{
    audit::Cut,
    names::{Code, Marking, Refusal, ResultForm},
    tools::{Answer, BoundCall},
};

use crate::{
    ledger::Outcome,
    protocol::host::{CallReply, Tag},
};

/// What a call produced.
pub(super) struct Produced {
    kind: Kind,
    marking: Marking,
}

enum Kind {
    /// Rows out of a database.
    Rows {
        executed: Executed,
        next_cursor: Option<String>,
        /// The names of the columns, where the rows do not have them.
        columns: Option<Vec<String>>,
    },
    /// An answer that needed none.
    Answer(Answer),
}

impl Produced {
    /// The rows of a bound call.
    pub(super) fn rows(bound: &BoundCall, executed: Executed, next_cursor: Option<String>) -> Self {
        let columns = match bound.presentation.result {
            ResultForm::Rows => None,
            ResultForm::Table => Some(bound.statement.columns().iter().map(|column| column.name.clone()).collect()),
        };
        Self { kind: Kind::Rows { executed, next_cursor, columns }, marking: bound.presentation.marking }
    }

    /// An answer that needed no database.
    pub(super) fn answered(answer: Answer) -> Self {
        Self { marking: answer.marking, kind: Kind::Answer(answer) }
    }

    /// What the audit log says of it.
    pub(super) fn outcome(&self) -> Outcome<'static> {
        match &self.kind {
            Kind::Rows { executed, .. } => Outcome {
                truncated: executed.rows.truncated.map(|cut| match cut {
                    Truncation::Rows => Cut::Rows,
                    Truncation::Bytes => Cut::Bytes,
                }),
                waited: Some(executed.waited),
                ran: Some(executed.ran),
                ..Outcome::ok(u64::from(executed.rows.count), executed.rows.json.len() as u64)
            },
            Kind::Answer(answer) => Outcome {
                truncated: answer.truncated.then_some(Cut::Rows),
                ..Outcome::ok(u64::from(answer.count), answer.json.len() as u64)
            },
        }
    }

    /// One object. Rows are `{"rows":[…],"row_count":n,"truncated":false,"next_cursor":null}`, with the columns' names first where
    /// the rows lack them.
    pub(super) fn into_reply(self, call_id: String) -> CallReply {
        let json = match self.kind {
            Kind::Rows { executed, next_cursor, columns } => rows_object(&executed, next_cursor, columns),
            Kind::Answer(answer) => RawValue::from_string(answer.json).ok(),
        };
        let Some(json) = json else {
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
}

fn rows_object(
    executed: &Executed,
    next_cursor: Option<String>,
    columns: Option<Vec<String>>,
) -> Option<Box<RawValue>> {
    let rows = &executed.rows;
    let array = std::str::from_utf8(&rows.json).ok()?;
    let columns = match columns {
        Some(names) => format!("\"columns\":{},", serde_json::to_string(&names).ok()?),
        None => String::new(),
    };
    let cursor = next_cursor.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
    let (count, truncated) = (rows.count, rows.truncated.is_some());
    let mut object = String::with_capacity(array.len() + columns.len() + cursor.len() + 80);
    // Writing to a string cannot fail.
    let _ = write!(object, "{{{columns}\"rows\":");
    object.push_str(array);
    let _ = write!(object, ",\"row_count\":{count},\"truncated\":{truncated},\"next_cursor\":{cursor}}}");
    RawValue::from_string(object).ok()
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
