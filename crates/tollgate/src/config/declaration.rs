//! A tool as written, in the core's words. Decides nothing about it.

use std::num::NonZeroU32;

use serde_json::{Number, Value};
use tollgate_core::{
    names::{Code, DatabaseName, ParamName, ToolName},
    policy::DefinerGrant,
    tools::{ConstraintDeclaration, Declaration, DeprecationDeclaration, PageDeclaration, ParamDeclaration, ParamType},
};

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    file,
    scalar::JsonText,
    source::Path,
    yaml::Node,
};

/// What a float holds for sure.
const FLOAT_DIGITS: usize = 15;

/// The declaration of a written tool.
pub(super) fn declaration(
    name: &ToolName,
    database: &DatabaseName,
    written: &file::Tool,
    tree: &Node,
    diagnostics: &mut Diagnostics,
) -> Declaration {
    let path = Path::root().key("tools").key(name);
    let mut literals = Literals { tree, diagnostics };
    Declaration {
        name: name.clone(),
        title: written.title.clone(),
        description: written.description.clone(),
        database: database.clone(),
        params: written
            .params
            .0
            .iter()
            .map(|(name, param)| literals.param(name, param, &path.key("params").key(name)))
            .collect(),
        sql: written.sql.clone(),
        // One outside its range was reported by its shape.
        rows_max: written.rows_max.filter(|rows| (1..=1_000_000).contains(rows)),
        definer: literals.definer(written, &path),
        page: written.page.as_ref().map(|page| PageDeclaration { key: page.key.clone() }),
        result: written.result.map(Into::into),
        fence: written.fence,
        deprecated: written.deprecated.as_ref().map(|deprecated| DeprecationDeclaration {
            replacement: deprecated.instead.clone(),
            since: deprecated.since.map(|day| day.0.to_string()),
            sunset: deprecated.sunset.map(|day| day.0.to_string()),
        }),
    }
}

struct Literals<'a> {
    tree: &'a Node,
    diagnostics: &'a mut Diagnostics,
}

impl Literals<'_> {
    /// What a tool reads without row filters: three keys that belong together.
    fn definer(&mut self, written: &file::Tool, path: &Path) -> Option<DefinerGrant> {
        let least = written.min_group_size.and_then(NonZeroU32::new);
        match (written.security, &written.columns, least) {
            (None, None, None) => None,
            (Some(file::Security::Definer), Some(columns), Some(min_group_size)) => {
                Some(DefinerGrant { columns: columns.clone(), min_group_size })
            }
            (Some(file::Security::Definer), _, _) => {
                let message = "`security: definer` needs `columns`, all that the tool may read, and `min_group_size`";
                self.refuse(Code::CONFIG_TOOL_DEFINER, message, &path.key("security"));
                None
            }
            (None, _, _) => {
                let message = "`columns` and `min_group_size` of a tool are for `security: definer`; others read what the role sees";
                self.refuse(Code::CONFIG_TOOL_DEFINER, message, path);
                None
            }
        }
    }

    fn param(&mut self, name: &ParamName, written: &file::Param, path: &Path) -> ParamDeclaration {
        ParamDeclaration {
            name: name.clone(),
            constraints: self.constraints(&written.constraints(), path),
            items: written.items.as_ref().map(|items| self.constraints(items, &path.key("items"))),
            max_items: written.max_items.map(u64::from),
            default: written.default.as_ref().and_then(|text| self.value(text, &path.key("default"))),
            required: written.required,
            description: written.description.clone(),
            sensitive: written.sensitive,
        }
    }

    fn constraints(&mut self, written: &file::Items, path: &Path) -> ConstraintDeclaration {
        let allowed = written.values.as_ref().map(|values| {
            let values = values.iter().enumerate();
            values.filter_map(|(i, text)| self.value(text, &path.key("enum").index(i))).collect()
        });
        ConstraintDeclaration {
            ty: param_type(written.ty),
            allowed,
            minimum: written.minimum.as_ref().and_then(|text| self.number(text, &path.key("minimum"))),
            maximum: written.maximum.as_ref().and_then(|text| self.number(text, &path.key("maximum"))),
            min_length: written.min_length.map(u64::from),
            max_length: written.max_length.map(u64::from),
            pattern: written.pattern.clone(),
        }
    }

    fn number(&mut self, text: &JsonText, path: &Path) -> Option<Number> {
        let Value::Number(number) = self.value(text, path)? else {
            self.complain("this is not a number", path);
            return None;
        };
        Some(number)
    }

    fn value(&mut self, text: &JsonText, path: &Path) -> Option<Value> {
        let Ok(value) = serde_json::from_str::<Value>(&text.0) else {
            self.complain("this is not a value that JSON has", path);
            return None;
        };
        let digits = text.0.bytes().filter(u8::is_ascii_digit).count();
        if value.is_f64() && digits > FLOAT_DIGITS {
            self.complain("this number has more digits than can be kept exactly", path);
            return None;
        }
        Some(value)
    }

    fn complain(&mut self, message: &str, path: &Path) {
        self.refuse(Code::CONFIG_TOOL_PARAM, message, path);
    }

    fn refuse(&mut self, code: Code, message: &str, path: &Path) {
        self.diagnostics.push(Diagnostic::error(code, message).at(self.tree.place_of(path)));
    }
}

fn param_type(written: file::ParamType) -> ParamType {
    match written {
        file::ParamType::String => ParamType::String,
        file::ParamType::Integer => ParamType::Integer,
        file::ParamType::Number => ParamType::Number,
        file::ParamType::Boolean => ParamType::Boolean,
        file::ParamType::Date => ParamType::Date,
        file::ParamType::Timestamp => ParamType::Timestamp,
        file::ParamType::Uuid => ParamType::Uuid,
        file::ParamType::Json => ParamType::Json,
        file::ParamType::Array => ParamType::Array,
    }
}
