//! Each file of `testdata/config/load` is a configuration; beside it stands what is said of it.

mod compiling;

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Loaded, Style, file, load_with, scalar,
    source::{self, blot_keys, blot_passwords},
};

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "SHOP_DATABASE_URL" => "postgres://gate:hunter2@db.internal/shop",
        "POOL_MAX" => "12",
        "NOT_A_NUMBER" => "hunter2",
        "YAML_INSIDE" => "{ role: admin }",
        "EMPTY" => "",
        "SEAL_KEY" => "0123456789abcdef0123456789abcdef",
        "MASK_KEY" => "fedcba9876543210fedcba9876543210",
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

/// The files of a folder that are cases.
fn cases(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(name)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect()
}

/// What is said of a configuration, as `check` without a database would.
fn report(path: &Path) -> String {
    let result = load_with(path, &environment);
    let diagnostics = match result {
        Ok(loaded) => {
            let mut diagnostics = loaded.diagnostics().clone();
            loaded.settings(&mut diagnostics);
            super::references::check(&loaded, &mut diagnostics);
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
    let cases = cases("load");
    assert!(cases.len() > 8, "only {} cases were found", cases.len());
    for path in cases {
        let report = report(&path);
        assert!(!report.contains("hunter2"), "a secret is shown: {report}");
        expect(&path.with_extension("expected"), &report);
    }
}

#[test]
fn the_examples_can_be_read() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path().join("tollgate.yaml"));
    let configurations: Vec<PathBuf> = folders.filter(|path| path.is_file()).collect();
    assert!(!configurations.is_empty());
    for path in configurations {
        assert_eq!(report(&path), "fine\n", "{}", path.display());
    }
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
    const CHECKED: [&str; 16] = [
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
        "minLength",
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

#[test]
fn a_path_reads_back_what_it_displays() {
    for text in ["params.region.enum[2]", "tables[\"shop.users\"].columns[3]", "sql", "a-b.c_d[0][1]"] {
        assert_eq!(source::Path::root().below(text).to_string(), text);
    }
    let quoted = source::Path::root().below("tables.\"shop.users\".rows");
    assert_eq!(quoted.to_string(), "tables[\"shop.users\"].rows");
    for odd in ["", ".", "[", "a..b", "\"", "[]", "]."] {
        let _ = source::Path::root().below(odd);
    }
}

/// No file, however broken, is more than a report.
#[test]
fn a_file_cut_off_anywhere_is_reported() {
    for name in ["fine.yaml", "wrong_types.yaml", "missing_secrets.yaml"] {
        let text = fs::read_to_string(folder().join("load").join(name)).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("tollgate.yaml");
        for end in (0..text.len()).step_by(37).filter(|end| text.is_char_boundary(*end)) {
            fs::write(&path, &text[..end]).unwrap();
            let _ = report(&path);
        }
    }
}
