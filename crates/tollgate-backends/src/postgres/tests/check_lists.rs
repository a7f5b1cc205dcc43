//! CHECK constraints as the server prints them: plain lists are read, anything else is not.

use crate::postgres::check_list::parse;

fn list(definition: &str) -> Option<(String, Vec<String>)> {
    parse(definition).map(|list| (list.subject, list.values))
}

#[test]
fn plain_lists_are_read() {
    let cases = [
        ("CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))", "status", vec!["a", "b"]),
        (
            "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'it''s'::character varying])::text[])))",
            "status",
            vec!["a", "it's"],
        ),
        ("CHECK ((\"Status x\" = 'only'::text))", "Status x", vec!["only"]),
        ("CHECK ((level = ANY (ARRAY[1, 2, 30])))", "level", vec!["1", "2", "30"]),
        ("CHECK ((VALUE = ANY (ARRAY['x'::text, ')'::text])))", "VALUE", vec!["x", ")"]),
    ];
    for (definition, subject, values) in cases {
        let values = values.into_iter().map(str::to_owned).collect();
        assert_eq!(list(definition), Some((subject.to_owned(), values)), "{definition}");
    }
}

#[test]
fn anything_else_is_not() {
    let cases = [
        "CHECK ((status <> ALL (ARRAY['a'::text, 'b'::text])))",
        "CHECK ((NOT (status = ANY (ARRAY['a'::text, 'b'::text]))))",
        "CHECK (((status = ANY (ARRAY['a'::text])) OR (id > 5)))",
        "CHECK (((status = 'a'::text) OR (status = 'b'::text)))",
        "CHECK ((lower(status) = ANY (ARRAY['a'::text, 'b'::text])))",
        "CHECK ((status = E'a\\\\b'::text))",
        "CHECK ((status = other))",
        "CHECK ((price = '-5'::integer) IS TRUE)",
        "CHECK ((level = ANY (ARRAY[-1, 2])))",
        "CHECK ((day = '2020-01-01'::date))",
        "CHECK ((status = ANY (ARRAY['a'::text, other])))",
        "CHECK ((status ~ 'a'::text))",
        "CHECK ((status = 'unfinished",
        "CHECK",
        "",
    ];
    for definition in cases {
        assert_eq!(list(definition), None, "{definition}");
    }
}
