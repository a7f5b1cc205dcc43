//! Each file of `testdata/config/load` is a configuration; beside it stands what is said of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Loaded, Style, file, load_with, scalar,
    source::{blot_keys, blot_passwords},
};

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "SHOP_DATABASE_URL" => "postgres://gate:hunter2@db.internal/shop",
        "POOL_MAX" => "12",
        "NOT_A_NUMBER" => "hunter2",
        "YAML_INSIDE" => "{ role: admin }",
        "SEAL_KEY" => "0123456789abcdef0123456789abcdef",
        _ => return None,
    };
    Some(value.to_owned())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config")
}

/// Compares with the file of that name, or writes it where `UPDATE_EXPECTED` is set.
fn expect(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(expected == actual, "{} differs; it would be:\n{actual}", path.display());
}

/// What is said of a configuration, as `check` without a database would.
fn report(path: &Path) -> String {
    let result = load_with(path, &environment);
    let diagnostics = match result {
        Ok(loaded) => {
            let mut diagnostics = loaded.diagnostics().clone();
            loaded.settings(&mut diagnostics);
            diagnostics
        }
        Err(diagnostics) => diagnostics,
    };
    let text = diagnostics.render(Style::Plain);
    let shown = format!("{}/", path.parent().unwrap().display());
    if text.is_empty() { "fine\n".to_owned() } else { text.replace(&shown, "") }
}

#[test]
fn every_configuration_is_reported_as_expected() {
    let mut seen = 0;
    for entry in fs::read_dir(folder().join("load")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let report = report(&path);
            assert!(!report.contains("hunter2"), "a secret is shown: {report}");
            expect(&path.with_extension("expected"), &report);
            seen += 1;
        }
    }
    assert!(seen > 8, "only {seen} cases were found");
}

#[test]
fn the_schema_is_the_one_shipped() {
    let schema = serde_json::to_string_pretty(&file::json_schema()).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/config.json");
    expect(&path, &schema);
}

/// `shape` knows these keywords and no others: one more would be checked by editors and not by us.
#[test]
fn the_schema_uses_only_keywords_that_are_checked() {
    const CHECKED: [&str; 15] = [
        "$ref",
        "anyOf",
        "oneOf",
        "const",
        "enum",
        "type",
        "properties",
        "additionalProperties",
        "required",
        "propertyNames",
        "items",
        "minItems",
        "minimum",
        "maximum",
        scalar::FORM,
    ];
    const SAID_ONLY: [&str; 7] = ["$schema", "$defs", "title", "description", "default", "pattern", "format"];
    fn walk(schema: &serde_json::Value) {
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object {
            assert!(CHECKED.contains(&key.as_str()) || SAID_ONLY.contains(&key.as_str()), "keyword `{key}`");
            match key.as_str() {
                "properties" | "$defs" => value.as_object().unwrap().values().for_each(walk),
                "anyOf" | "oneOf" => value.as_array().unwrap().iter().for_each(walk),
                "items" | "additionalProperties" | "propertyNames" => walk(value),
                "pattern" => assert!(object.contains_key(scalar::FORM), "a pattern without a form: {value}"),
                "format" => assert!(["uint32", "int64", "double"].contains(&value.as_str().unwrap()), "{value}"),
                "x-tollgate-form" => assert!(scalar::Form::named(value.as_str().unwrap()).is_some(), "{value}"),
                _ => {}
            }
        }
    }
    walk(&file::json_schema());
}

fn loaded(name: &str) -> Loaded {
    load_with(&folder().join("load").join(name), &environment).unwrap()
}

#[test]
fn secrets_are_expanded_and_never_shown() {
    let loaded = loaded("secrets.yaml");
    let shop = &loaded.file.databases["shop"];
    assert_eq!(shop.url, "postgres://gate:hunter2@db.internal/shop");
    assert_eq!(shop.pool.max, 12);
    let description = |role: &str| loaded.file.roles[role].description.clone().unwrap();
    assert_eq!(description("escaped"), "costs ${PRICE}");
    assert_eq!(description("from_file"), "a secret\nof two lines");
    assert_eq!(description("not_yaml"), "{ role: admin }");
    assert!(!format!("{loaded:?}").contains("hunter2"), "{loaded:?}");
}

#[test]
fn includes_are_merged_by_name() {
    let loaded = loaded("include.yaml");
    let names: Vec<_> = loaded.file.roles.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["analyst", "auditor", "support"]);
}

#[test]
fn a_number_keeps_every_digit() {
    let loaded = loaded("fine.yaml");
    let (name, price) = &loaded.file.tools["find_products"].params.0[1];
    assert_eq!(name.as_str(), "price");
    assert_eq!(price.maximum.as_ref().unwrap().0, "99999999999999999999.10");
    assert_eq!(price.default.as_ref().unwrap().0, "1.10");
}

#[test]
fn passwords_in_excerpts_are_blotted_out() {
    let blotted = blot_passwords("url: postgres://gate:a@b/c@host/db # sqlite://x");
    assert_eq!(blotted, "url: postgres://gate:*****@host/db # sqlite://x");
}

#[test]
fn a_key_in_place_of_its_hash_is_blotted_out() {
    let blotted = blot_keys("keys: [tg_0123456789abcdef-_0, sha256:9f2c] # tg_short");
    assert_eq!(blotted, "keys: [tg_*******************, sha256:9f2c] # tg_short");
}
