//! What a tool's statement becomes for a caller: for operators, who see hidden names and the plan. Runs nothing.

use serde_json::value::RawValue;
use tollgate_core::{
    names::{Code, Principal, Refusal, Value},
    sql::{MaskKey, SlotUse, tree::Slot},
    tools::{self, Bound, CursorSeal},
};

use super::{Serving, call::authorize};

/// An explanation.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The caller's role.
    pub role: String,
    /// The statement as the configuration has it.
    pub written: String,
    /// The statement as it is sent.
    pub rewritten: String,
    /// Whether it runs without the role's row filters.
    pub definer: bool,
    /// The statement that later pages are read by, where it is another one.
    pub rewritten_next: Option<String>,
    /// The operation that made it fence its tables, where one did.
    pub fence: Option<String>,
    /// Each bound parameter: `$2 :region` and its value as JSON.
    pub parameters: Vec<(String, String)>,
    /// The database's plan.
    pub plan: String,
}

/// An explanation continues nothing.
struct NoCursors;

impl CursorSeal for NoCursors {
    fn seal(&self, _position: &[u8], _binding: &[u8; 32]) -> Option<String> {
        None
    }

    fn open(&self, _sealed: &str, _binding: &[u8; 32]) -> Option<Vec<u8>> {
        None
    }
}

impl Serving {
    /// Explains a call of `tool` by `caller` with these arguments, as of `today`.
    pub async fn explain(
        &self,
        caller: &Principal,
        tool: &str,
        arguments: &RawValue,
        today: jiff::civil::Date,
    ) -> Result<Explained, Refusal> {
        let (_, callable) = authorize(self, caller, tool)?;
        let call = tools::Call {
            caller,
            arguments: Some(arguments),
            call_id: "explain",
            today,
            cursors: &NoCursors,
            policy_hash: &self.gateway.policy_hash,
        };
        let Bound::Call(bound) = tools::bind(&callable, &call).map_err(|error| error.to_agent())? else {
            return Err(Refusal::new(Code::INVALID_ARGUMENT, format!("`{tool}` runs no statement")));
        };
        let database = self.gateway.database(&bound.database)?;
        let planned: Vec<Value> = std::iter::zip(bound.statement.slots(), &bound.values).map(planned).collect();
        let plan_text = database.backend.plan(&bound.statement, &planned).await.map_err(|e| e.kind.to_agent())?;
        let marker = match bound.statement.dialect() {
            tollgate_core::names::Dialect::Postgres => '$',
            tollgate_core::names::Dialect::Sqlite | tollgate_core::names::Dialect::MariaDb => '?',
        };
        let slots = bound.statement.slots().iter().zip(&bound.values).enumerate();
        Ok(Explained {
            role: caller.role().to_string(),
            written: callable.written(Some(arguments)).into_owned(),
            rewritten: bound.statement.text().to_owned(),
            definer: callable.tool().plan().is_some_and(|plan| plan.tool().definer().is_some()),
            rewritten_next: bound.next.as_ref().map(|next| next.text().to_owned()),
            fence: bound.statement.fence().map(ToString::to_string),
            parameters: slots
                .map(|(at, (slot, value))| {
                    (format!("{marker}{} {}", at + 1, name(&slot.slot)), shown(&slot.slot, value))
                })
                .collect(),
            plan: plan_text,
        })
    }
}

/// What a plan is asked for with: of values it repeats some, so that no key is among them.
fn planned((used, value): (&SlotUse, &Value)) -> Value {
    match used.slot {
        Slot::MaskKey(pad) => MaskKey::of_role("", "").block(pad),
        _ => value.clone(),
    }
}

fn name(slot: &Slot) -> String {
    match slot {
        Slot::CallId => "the call's id, for the database's own log".to_owned(),
        Slot::Param(name) | Slot::ParamList(name) => format!(":{name}"),
        Slot::Claim(name) | Slot::ClaimList(name) => format!(":claims.{name}"),
        Slot::Limit => "rows at most".to_owned(),
        Slot::Offset => "rows skipped".to_owned(),
        Slot::After(place) => format!("column {} of the key of the last row", place + 1),
        Slot::MaskKey(_) => "the key of the role's hashes".to_owned(),
    }
}

/// A value as JSON; of a key, that there is one.
fn shown(slot: &Slot, value: &Value) -> String {
    match slot {
        Slot::MaskKey(_) => "…".to_owned(),
        _ => json(value),
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Number(text) | Value::Json(text) => text.clone(),
        Value::Text(text) => serde_json::Value::String(text.clone()).to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::sql::tree::KeyPad;

    use super::*;

    #[test]
    fn no_plan_is_asked_for_with_a_key() {
        let key = MaskKey::of_role("a long secret", "support").block(KeyPad::Inner);
        let used = SlotUse {
            slot: Slot::MaskKey(KeyPad::Inner),
            compared: Vec::new(),
            ty: None,
            mixed: false,
            masked: true,
            like_escape: None,
        };
        let instead = planned((&used, &key));
        assert_ne!(instead, key);
        let length = |value: &Value| matches!(value, Value::Text(text) if text.len() == 88);
        assert!(length(&instead) && length(&key));
    }
}
