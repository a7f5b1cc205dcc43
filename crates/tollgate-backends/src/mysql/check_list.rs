//! Reads what MariaDB's CHECKs plainly say of one column: `json_valid(`doc`)` and `` `status` in ('a','b') ``, in the form that the
//! server prints them in. Of anything else it says nothing: a list that is not surely the whole truth is no list.

/// What a CHECK says of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Its values are JSON documents.
    Document,
    /// They are of this list.
    OneOf(Vec<String>),
}

/// The column of a clause, and what it says of that.
pub(super) fn parse(clause: &str) -> Option<(String, Said)> {
    if let Some(rest) = clause.strip_prefix("json_valid(") {
        let (column, rest) = name(rest)?;
        return (rest == ")").then_some((column, Said::Document));
    }
    let (column, rest) = name(clause)?;
    let mut rest = rest.strip_prefix(" in (")?;
    let mut values = Vec::new();
    loop {
        let (value, after) = value(rest)?;
        values.push(value);
        rest = match after.strip_prefix(',') {
            Some(after) => after,
            None => return (after == ")").then_some((column, Said::OneOf(values))),
        };
    }
}

/// The clause of a line of a table's definition that ends in a CHECK.
pub(super) fn in_definition(line: &str) -> Option<&str> {
    let (_, clause) = line.strip_suffix(',').unwrap_or(line).rsplit_once(" CHECK (")?;
    clause.strip_suffix(')')
}

/// A name in backticks at the front, and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let (name, rest) = text.strip_prefix('`')?.split_once('`')?;
    (!rest.starts_with('`')).then(|| (name.to_owned(), rest))
}

/// A string without escapes or a whole number.
fn value(text: &str) -> Option<(String, &str)> {
    if let Some(text) = text.strip_prefix('\'') {
        let (value, rest) = text.split_once('\'')?;
        // A quote or a backslash in it is printed in more than one way.
        return (!rest.starts_with('\'') && !value.contains('\\')).then(|| (value.to_owned(), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    (!digits.is_empty()).then(|| (digits.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_clauses_are_read_and_no_others() {
        let list = |values: &[&str]| Said::OneOf(values.iter().map(|value| (*value).to_owned()).collect());
        let said = |clause: &str| parse(clause);
        assert_eq!(said("json_valid(`doc`)"), Some(("doc".to_owned(), Said::Document)));
        assert_eq!(said("`x` in ('q','r')"), Some(("x".to_owned(), list(&["q", "r"]))));
        assert_eq!(said("`x` in (1,2)"), Some(("x".to_owned(), list(&["1", "2"]))));
        for clause in [
            "`x` in ('q','r') or 1",
            "`x` not in ('q')",
            "`x` in ('it''s')",
            "`x` in ('a\\'b')",
            "`x` in ('a',NULL)",
            "json_valid(`doc`) or `doc` is null",
            "json_valid(concat(`doc`))",
            "`a``b` in ('x')",
            "`x` > 0",
            "",
        ] {
            assert_eq!(said(clause), None, "{clause}");
        }
        let line = "  `js` longtext DEFAULT NULL COMMENT 'a CHECK (b)' CHECK (json_valid(`js`)),";
        assert_eq!(in_definition(line), Some("json_valid(`js`)"));
        assert_eq!(in_definition("  CONSTRAINT `c` CHECK (`id` > 0)"), Some("`id` > 0"));
        assert_eq!(in_definition("  `x` int(11) COMMENT ' CHECK (`x` in (1))',"), None);
    }
}
