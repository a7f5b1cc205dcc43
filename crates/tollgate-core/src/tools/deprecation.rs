//! Tools that another tool replaces: said to the model, then refused after a date. Reads no clock: the date comes in.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{
    arguments::nearest,
    datetime,
    declare::DeprecationDeclaration,
    error::{BindError, Problem, ToolError},
};
use crate::names::ToolName;

/// The key under `_meta` that says a tool is deprecated.
const META_KEY: &str = "tollgate/deprecated";

/// What replaces a tool, and until when it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    replacement: ToolName,
    since: Option<Date>,
    sunset: Option<Date>,
}

impl Deprecation {
    pub(super) fn declare(
        tool: &ToolName,
        written: &DeprecationDeclaration,
        errors: &mut Vec<ToolError>,
    ) -> Option<Deprecation> {
        let before = errors.len();
        let mut read = |key: &'static str, text: &Option<String>| {
            let text = text.as_ref()?;
            let date = datetime::date(text);
            if date.is_none() {
                errors.push(ToolError::new(&format!("deprecated.{key}"), Problem::DeprecationDate { key }));
            }
            date
        };
        let (since, sunset) = (read("since", &written.since), read("sunset", &written.sunset));
        if since.is_some_and(|since| sunset.is_some_and(|sunset| sunset < since)) {
            errors.push(ToolError::new("deprecated.sunset", Problem::SunsetBeforeSince));
        }
        if written.replacement == *tool {
            errors.push(ToolError::new("deprecated.use", Problem::ReplacesItself));
        }
        (errors.len() == before).then(|| Deprecation { replacement: written.replacement.clone(), since, sunset })
    }

    /// The tool to use instead.
    pub fn replacement(&self) -> &ToolName {
        &self.replacement
    }

    /// The day it was deprecated on.
    pub fn since(&self) -> Option<Date> {
        self.since
    }

    /// The day from whose 00:00 UTC it is refused.
    pub fn sunset(&self) -> Option<Date> {
        self.sunset
    }

    /// Whether the replacement is among the declared tools.
    pub fn check_replacement<'n>(&self, declared: impl Iterator<Item = &'n ToolName> + Clone) -> Result<(), ToolError> {
        if declared.clone().any(|name| *name == self.replacement) {
            return Ok(());
        }
        let near = nearest(self.replacement.as_str(), declared.map(ToolName::as_str)).map(str::to_owned);
        let problem = Problem::UnknownReplacement { name: self.replacement.clone(), near };
        Err(ToolError::new("deprecated.use", problem))
    }

    /// Refuses from the sunset on. `replacement` is what this caller may call instead.
    pub(super) fn refuse_past_sunset(
        &self,
        tool: &ToolName,
        today: Date,
        replacement: Option<&ToolName>,
    ) -> Result<(), BindError> {
        match self.sunset {
            Some(sunset) if today >= sunset => {
                Err(BindError::Sunset { tool: tool.clone(), sunset, replacement: replacement.cloned() })
            }
            _ => Ok(()),
        }
    }

    /// The note before the description.
    pub(super) fn note(&self, replacement: Option<&ToolName>) -> String {
        let since = self.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let instead = replacement.map(|name| format!(": use `{name}` instead")).unwrap_or_default();
        let until = self.sunset.map(|sunset| format!("; refused from {sunset} (00:00 UTC) on")).unwrap_or_default();
        format!("Deprecated{since}{instead}{until}.")
    }

    /// What `_meta` says of it.
    pub(super) fn meta(&self, replacement: Option<&ToolName>) -> Map<String, Value> {
        let mut deprecated = Map::new();
        if let Some(replacement) = replacement {
            deprecated.insert("use".to_owned(), json!(replacement));
        }
        for (key, date) in [("since", self.since), ("sunset", self.sunset)] {
            if let Some(date) = date {
                deprecated.insert(key.to_owned(), json!(date.to_string()));
            }
        }
        Map::from_iter([(META_KEY.to_owned(), Value::Object(deprecated))])
    }
}
