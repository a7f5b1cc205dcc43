//! Statements that make a login as narrow as a policy. It asks the server nothing and runs none of them.

use std::fmt::Write as _;

use crate::NarrowLogin;

/// The script, for the database's administrator.
pub(super) fn script(login: &NarrowLogin<'_>) -> String {
    let name = format!("{}@'%'", text(login.name));
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "-- A login that can read what {} read, and nothing else. Set a password, and a host narrower than '%'.\n\
         CREATE USER {name} IDENTIFIED BY '…' REQUIRE SSL WITH MAX_USER_CONNECTIONS 30;\n\n",
        login.roles
    );
    out.push_str(
        "-- REFERENCES shows a table's definition (its keys, which lists of values it allows) and none of its rows.\n",
    );
    for (table, columns) in login.reach.tables() {
        let on = format!("{}.{}", quoted(&table.schema), quoted(&table.name));
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        if columns.is_empty() {
            let _ =
                writeln!(out, "-- No column of {on} is read, only how many rows it has: grant SELECT on one of them.");
            continue;
        }
        let _ = writeln!(out, "GRANT REFERENCES, SELECT ({}) ON {on} TO {name};", columns.join(", "));
    }
    let filtered = login.filters.iter().filter(|filter| !filter.conditions.is_empty());
    for filter in filtered {
        let conditions = filter.conditions.join(" AND ").replace(['\n', '\r'], " ");
        let _ = writeln!(
            out,
            "\n-- {} is filtered by Tollgate alone, since this server has no row security: {conditions}",
            quoted(&filter.table.to_string())
        );
    }
    out
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
