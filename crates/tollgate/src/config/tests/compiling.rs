//! Each file of `testdata/config/compile` is compiled beside a small shop; beside it stands what is said of it, and its matrix.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tollgate_backends::testing::postgres::PostgresServer;

use super::{cases, environment, expect, folder};
use crate::config::{self, Compiled, Diagnostics, Style, load_with};

/// A configuration in a folder of its own, beside a fresh `shop.db`.
fn with_shop(name: &str) -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let shop = rusqlite::Connection::open(scratch.path().join("shop.db")).unwrap();
    shop.execute_batch(&fs::read_to_string(folder().join("compile/shop.sql")).unwrap()).unwrap();
    let path = scratch.path().join(name);
    fs::copy(folder().join("compile").join(name), &path).unwrap();
    (scratch, path)
}

async fn compile(path: &Path) -> Result<Compiled, Diagnostics> {
    config::compile(&load_with(path, &environment)?).await
}

#[tokio::test]
async fn every_configuration_compiles_as_expected() {
    let cases = cases("compile");
    assert!(cases.len() > 8, "only {} cases were found", cases.len());
    for case in cases {
        let (scratch, path) = with_shop(case.file_name().unwrap().to_str().unwrap());
        let report = match compile(&path).await {
            Ok(compiled) => format!("{}\n{}", compiled.diagnostics.render(Style::Plain), compiled.matrix),
            Err(diagnostics) => diagnostics.render(Style::Plain),
        };
        assert!(!report.contains("hunter2"), "a secret is shown: {report}");
        let report = report.replace(&format!("{}/", scratch.path().display()), "");
        expect(&case.with_extension("expected"), report.trim_start());
    }
}

#[tokio::test]
async fn a_compiled_configuration_has_what_calls_need() {
    let (_scratch, path) = with_shop("fine.yaml");
    let compiled = compile(&path).await.unwrap();
    let support = &compiled.gateway.roles["support"];
    let names: Vec<&str> = support.listings.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["find_users", "orders_of_user"]);
    assert!(support.tools.authorize("find_users_by_name").is_none());
    let plan = support.tools.authorize("find_users").unwrap().tool().plan().unwrap();
    assert_eq!(plan.rows_max(), 10);
    assert_eq!(plan.statements().count(), 2);
    assert_eq!(support.limits.rows_max, 10);
    assert_eq!(compiled.gateway.databases["shop"].user, None);
}

#[tokio::test]
async fn the_policy_hash_changes_with_the_policy_alone() {
    let (_scratch, path) = with_shop("fine.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let before = compile(&path).await.unwrap().gateway;
    fs::write(&path, format!("# a remark\n{text}")).unwrap();
    let remarked = compile(&path).await.unwrap().gateway;
    assert_eq!(remarked.policy_hash, before.policy_hash);
    assert_ne!(remarked.config_hash, before.config_hash);
    fs::write(&path, text.replace("[id, name, email, region]", "[id, name, email, region, password_hash]")).unwrap();
    let widened = compile(&path).await.unwrap().gateway;
    assert_ne!(widened.policy_hash, before.policy_hash);
    fs::write(&path, text.replace("rows_max: 10", "rows_max: 11")).unwrap();
    assert_ne!(compile(&path).await.unwrap().gateway.policy_hash, before.policy_hash);
    fs::write(&path, text.replace("rows: region = :claims.region", "rows: all")).unwrap();
    assert_ne!(compile(&path).await.unwrap().gateway.policy_hash, before.policy_hash);
}

/// The example for PostgreSQL against a server with its sample shop: every tool fits, and the matrix is the one a reviewer reads.
#[tokio::test]
async fn the_example_for_postgresql_compiles() {
    let Some(server) = PostgresServer::shared() else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/postgres");
    let database = server.database(&fs::read_to_string(example.join("shop.sql")).unwrap()).await;
    let environment = |name: &str| (name == "SHOP_DATABASE_URL").then(|| database.url());
    let loaded = load_with(&example.join("tollgate.yaml"), &environment).unwrap();
    let compiled = match config::compile(&loaded).await {
        Ok(compiled) => compiled,
        Err(diagnostics) => panic!("{}", diagnostics.render(Style::Plain)),
    };
    // The tests' login may select from all of its database; of that the policy leaves two columns out.
    let warned = compiled.diagnostics.render(Style::Plain);
    assert_eq!(compiled.diagnostics.iter().count(), 1, "{warned}");
    assert!(
        warned.contains("can read the columns `public.orders.stripe_secret_id`, `public.users.password_hash`,"),
        "{warned}"
    );
    expect(&folder().join("example_for_postgresql.matrix"), &compiled.matrix.to_string());
    let shop = &compiled.gateway.databases["shop"];
    assert!(shop.user.as_deref().unwrap().starts_with("reader_"));
    shop.backend.close().await;
}
