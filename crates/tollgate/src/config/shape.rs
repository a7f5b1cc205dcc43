//! The tree against the JSON Schema: every unknown key and every value of the wrong type or form at once, each with its place.
//!
//! It reads the keywords that our own schema uses and no others; a test holds the schema to them.

use serde_json::{Map, Value};
use tollgate_core::names::Code;

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    scalar::{FORM, Form},
    source::{Path, Place},
    yaml::{Data, Entry, Node, Text},
};

/// Checks a tree against a schema, and takes the unknown keys out of it, so that the rest can still be looked at.
pub(super) fn check(node: &mut Node, schema: &Value, diagnostics: &mut Diagnostics) {
    let place = node.place;
    Shape { root: schema, diagnostics }.check(node, schema, &Path::root(), place);
}

struct Shape<'a> {
    root: &'a Value,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Shape<'a> {
    /// `named` is where the value's name stands: what is missing inside it is shown there.
    fn check(&mut self, node: &mut Node, schema: &'a Value, path: &Path, named: Place) {
        let schema = resolve(self.root, schema);
        if !fits(self.root, node, schema) {
            self.wrong_type(node, schema, path);
            return;
        }
        let Some(keywords) = schema.as_object() else { return };
        if let Some(branches) = keywords.get("anyOf").and_then(Value::as_array) {
            if let Some(branch) = branches.iter().find(|branch| fits(self.root, node, branch)) {
                self.check(node, branch, path, named);
            }
            return;
        }
        if let Some(allowed) = constants(keywords) {
            self.constant(node, &allowed, path);
            return;
        }
        self.form(node, keywords, path);
        self.length(node, keywords, path);
        self.range(node, keywords, path);
        match &mut node.data {
            Data::List(_) => self.list(node, keywords, path),
            Data::Map(_) => self.map(node, keywords, path, named),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => {}
        }
    }

    fn wrong_type(&mut self, node: &Node, schema: &Value, path: &Path) {
        let form = schema.get(FORM).and_then(Value::as_str).and_then(Form::named);
        if let (Some(form), Data::Number(text)) = (form, &node.data)
            && let Err(problem) = form.check(text)
        {
            self.diagnostics.push(Diagnostic::error(form_code(form), format!("`{path}`: {problem}")).at(node.place));
            return;
        }
        let wanted = alternatives(&types(self.root, schema).iter().map(|name| words(name)).collect::<Vec<_>>());
        let message = match node.data {
            Data::Null => format!("`{path}` has no value; it must be {wanted}"),
            Data::Number(_) | Data::Bool(_) => format!("`{path}` must be {wanted}, not `{}`", cut(&node.to_json())),
            Data::Text(_) | Data::List(_) | Data::Map(_) => format!("`{path}` must be {wanted}, not {}", node.kind()),
        };
        self.diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, message).at(node.place));
    }

    fn constant(&mut self, node: &Node, allowed: &[&Value], path: &Path) {
        let written = match &node.data {
            Data::Text(text) => Value::from(text.value.as_str()),
            Data::Null => Value::Null,
            _ => Value::from(node.to_json()),
        };
        if allowed.contains(&&written) {
            return;
        }
        let names: Vec<&str> = allowed.iter().filter_map(|v| v.as_str()).collect();
        let shown = match &node.data {
            Data::Text(text) => text.shown().to_owned(),
            _ => node.to_json(),
        };
        let message = format!("`{path}` is `{}`; it must be one of {}", cut(&shown), ticked(&names));
        let diagnostic = Diagnostic::error(Code::CONFIG_TYPE, message).at(node.place);
        self.diagnostics.push(diagnostic.did_you_mean(&shown, names));
    }

    fn form(&mut self, node: &Node, schema: &Map<String, Value>, path: &Path) {
        let Some(form) = schema.get(FORM).and_then(Value::as_str).and_then(Form::named) else { return };
        let (value, shown) = match &node.data {
            Data::Text(Text { value, written }) => (value, written.as_ref()),
            Data::Number(text) => (text, None),
            _ => return,
        };
        // A secret that is not there was reported where it is read.
        if value.is_empty() && shown.is_some() {
            return;
        }
        if let Err(problem) = form.check(value) {
            let message = match shown {
                Some(written) => format!("`{path}`: what `{}` expands to does not fit here", cut(written)),
                None => format!("`{path}`: {problem}"),
            };
            self.diagnostics.push(Diagnostic::error(form_code(form), message).at(node.place));
        }
    }

    fn length(&mut self, node: &Node, schema: &Map<String, Value>, path: &Path) {
        let Data::Text(Text { value, written: None }) = &node.data else { return };
        if schema.get("minLength").and_then(Value::as_u64) == Some(1) && value.trim().is_empty() {
            let message = format!("`{path}` must not be empty");
            self.diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, message).at(node.place));
        }
    }

    fn range(&mut self, node: &Node, schema: &Map<String, Value>, path: &Path) {
        let Some(value) = integer(node) else { return };
        let bound = |key| schema.get(key).and_then(Value::as_i64).map(i128::from);
        let (low, high) = (bound("minimum"), bound("maximum"));
        if low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high) {
            let wanted = match (low, high) {
                (Some(low), Some(high)) => format!("from {low} to {high}"),
                (Some(low), None) => format!("at least {low}"),
                (None, Some(high)) => format!("at most {high}"),
                (None, None) => return,
            };
            let message = format!("`{path}` is {value}; it must be {wanted}");
            self.diagnostics.push(Diagnostic::error(Code::CONFIG_LIMIT, message).at(node.place));
        }
    }

    fn list(&mut self, node: &mut Node, schema: &'a Map<String, Value>, path: &Path) {
        let place = node.place;
        let Data::List(items) = &mut node.data else { return };
        if schema.get("minItems").and_then(Value::as_u64).is_some_and(|least| (items.len() as u64) < least) {
            let message = format!("`{path}` must not be empty");
            self.diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, message).at(place));
        }
        let Some(item_schema) = schema.get("items") else { return };
        for (i, item) in items.iter_mut().enumerate() {
            let place = item.place;
            self.check(item, item_schema, &path.index(i), place);
        }
    }

    fn map(&mut self, node: &mut Node, schema: &'a Map<String, Value>, path: &Path, named: Place) {
        let Data::Map(entries) = &mut node.data else { return };
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|s| s.is_object());
        if let Some(properties) = properties {
            entries.retain(|entry| self.known(entry, properties, path));
            let required = schema.get("required").and_then(Value::as_array);
            for key in required.into_iter().flatten().filter_map(Value::as_str) {
                if !entries.iter().any(|e| e.key == key) {
                    let message = format!("`{path}` lacks the key `{key}`");
                    self.diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, message).at(named));
                }
            }
        }
        let form = schema.get("propertyNames").and_then(|s| s.get(FORM)).and_then(Value::as_str).and_then(Form::named);
        for entry in entries.iter_mut() {
            if let Some(Err(problem)) = form.map(|form| form.check(&entry.key)) {
                self.diagnostics.push(Diagnostic::error(Code::CONFIG_TYPE, problem).at(entry.key_place));
            }
            let inner = properties.and_then(|p| p.get(&entry.key)).or(others);
            if let Some(inner) = inner {
                self.check(&mut entry.value, inner, &path.key(&entry.key), entry.key_place);
            }
        }
    }

    fn known(&mut self, entry: &Entry, properties: &Map<String, Value>, path: &Path) -> bool {
        if properties.contains_key(&entry.key) {
            return true;
        }
        let names = properties.keys().map(String::as_str);
        let message = match path.steps() {
            [] => format!("unknown key `{}`", cut(&entry.key)),
            _ => format!("unknown key `{}` in `{path}`", cut(&entry.key)),
        };
        let diagnostic = Diagnostic::error(Code::CONFIG_UNKNOWN_KEY, message).at(entry.key_place);
        let mut diagnostic = diagnostic.did_you_mean(&entry.key, names);
        if diagnostic.help.is_none() {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            diagnostic = diagnostic.help(format!("known here: {}", ticked(&names)));
        }
        self.diagnostics.push(diagnostic);
        false
    }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    target.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

/// The types that a schema allows; none when it allows every one.
fn types<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a str> {
    let schema = resolve(root, schema);
    let branches = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let mut names: Vec<&str> = branches.flat_map(|branch| types(root, branch)).collect();
    match schema.get("type") {
        Some(Value::String(name)) => names.push(name),
        Some(Value::Array(several)) => names.extend(several.iter().filter_map(Value::as_str)),
        _ => {}
    }
    names
}

/// Whether the value's type is one that the schema allows; what is inside it is not looked at.
fn fits(root: &Value, node: &Node, schema: &Value) -> bool {
    let names = types(root, schema);
    names.is_empty() || names.iter().any(|name| is(node, name))
}

/// The values that a schema allows, where it lists them.
fn constants(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().collect());
    }
    let branches = schema.get("oneOf")?.as_array()?;
    branches.iter().map(|branch| branch.get("const")).collect()
}

fn is(node: &Node, name: &str) -> bool {
    match (name, &node.data) {
        ("null", Data::Null)
        | ("boolean", Data::Bool(_))
        | ("string", Data::Text(_))
        | ("array", Data::List(_))
        | ("object", Data::Map(_))
        | ("number", Data::Number(_)) => true,
        ("boolean", Data::Text(Text { value, written: Some(_) })) => {
            value.is_empty() || value == "true" || value == "false"
        }
        ("number", Data::Text(Text { value, written: Some(_) })) => value.is_empty() || value.parse::<f64>().is_ok(),
        ("integer", Data::Text(Text { value, written: Some(_) })) if value.is_empty() => true,
        ("integer", _) => integer(node).is_some(),
        _ => false,
    }
}

/// The whole number that a value is; the text of an expanded secret counts.
fn integer(node: &Node) -> Option<i128> {
    match &node.data {
        Data::Number(text) => text.parse().ok(),
        Data::Text(Text { value, written: Some(_) }) => value.trim().parse().ok(),
        _ => None,
    }
}

fn words(type_name: &str) -> &str {
    match type_name {
        "boolean" => "`true` or `false`",
        "string" => "text",
        "array" => "a list",
        "object" => "a map",
        "number" => "a number",
        "integer" => "a whole number",
        other => other,
    }
}

/// `a`, `a or b`, `a, b or c`; that nothing may stand there too goes without saying.
fn alternatives(names: &[&str]) -> String {
    let mut names: Vec<&str> = names.iter().copied().filter(|name| *name != "null").collect();
    let last = names.pop().unwrap_or("something else");
    names.retain(|name| *name != last);
    names.dedup();
    if names.is_empty() { last.to_owned() } else { format!("{} or {last}", names.join(", ")) }
}

fn form_code(form: Form) -> Code {
    match form {
        Form::KeyHash => Code::CONFIG_KEY,
        Form::Day => Code::CONFIG_TOOL_VERSION,
        _ => Code::CONFIG_TYPE,
    }
}

fn ticked(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// At most as much of a hostile text as a line can bear.
fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
