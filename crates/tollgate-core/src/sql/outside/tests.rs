//! What MariaDB has been seen to end over is fenced where it is not refused, and nothing that people write is.

use crate::names::Dialect;
use crate::sql::cases::shop;
use crate::sql::check_own;
use crate::sql::statement::Cost;

/// Why a statement of a role that does not see every user is fenced on MariaDB.
fn fence(sql: &str) -> Option<String> {
    let (catalog, mut visible) = shop(Dialect::MariaDb);
    for restriction in visible.tables.values_mut() {
        restriction.hides_rows = true;
    }
    let statement = check_own(sql, &catalog, &visible, Cost::Unbounded).unwrap();
    statement.fence().map(ToString::to_string)
}

#[test]
fn a_column_from_around_a_subquery_over_groups_is_fenced() {
    let leak = Some("an outer query's column in a subquery over groups".to_owned());
    for subquery in [
        "SELECT max(concat(o.status, u.name)) FROM orders o",
        "SELECT coalesce(u.name, max(o.status)) FROM orders o",
        "SELECT u.name FROM orders o GROUP BY o.status LIMIT 1",
        "SELECT max(concat(o.status, u.name)) FROM orders o GROUP BY o.status LIMIT 1",
        "SELECT o.status FROM orders o GROUP BY o.status ORDER BY u.name LIMIT 1",
        "SELECT u.name FROM orders o ORDER BY row_number() OVER (ORDER BY o.id) LIMIT 1",
    ] {
        assert_eq!(fence(&format!("SELECT id, ({subquery}) AS x FROM users u")), leak, "{subquery}");
    }
}

#[test]
fn one_in_its_where_is_not() {
    for subquery in [
        "SELECT max(o.status) FROM orders o WHERE o.user_id = u.id",
        "SELECT row_number() OVER (ORDER BY o.id) FROM orders o WHERE o.user_id = u.id LIMIT 1",
        "SELECT u.name FROM orders o LIMIT 1",
    ] {
        assert_eq!(fence(&format!("SELECT id, ({subquery}) AS x FROM users u")), None, "{subquery}");
    }
}
