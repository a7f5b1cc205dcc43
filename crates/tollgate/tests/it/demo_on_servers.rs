//! `tollgate demo --database`: the same shop and the same policy on a server, loaded whole or not at all, and nobody else's tables touched.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Output};

use tollgate_backends::testing::{
    mariadb::{MariaDbServer, TestDatabase},
    postgres::PostgresServer,
};

use crate::{
    demo::each_agent_sees_its_own,
    harness::{Server, tollgate},
};

fn demo(dir: &Path, url: &str) -> Output {
    tollgate().args(["demo", "--listen", "127.0.0.1:0", "--database", url, "--dir"]).arg(dir).output().unwrap()
}

/// What a demo says that does not start; no password is in it, and the folder holds none.
fn refused(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } = demo(folder.path(), url);
    let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(!said.contains("p@ss") && !said.contains("p%40ss"), "{said}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{said}");
    said
}

/// From the first start to the next ones, in a database that has no table yet.
async fn starts_and_goes_on(url: &str) {
    let mut server = Server::demo_on(url);
    each_agent_sees_its_own(&server).await;
    let (dir, keys) = (server.dir().to_owned(), server.demo_keys());
    let kept = dir.join("shop.url");
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let config = std::fs::read_to_string(dir.join("tollgate.yaml")).unwrap();
    assert!(!config.contains("127.0.0.1:0") && !config.contains("p%40ss"), "{config}");
    assert!(!dir.join("shop.db").exists());
    server.signal("-TERM");
    assert!(server.wait().success());
    let tests = tollgate().arg("test").arg("-c").arg(dir.join("tollgate.yaml")).output().unwrap();
    assert!(String::from_utf8_lossy(&tests.stdout).contains("6 passed, 0 failed"), "{tests:?}");
    let again = Server::serve_demo_again(&dir);
    assert_eq!(again.demo_keys(), keys);
    drop(again);
    // The shop is the demo's: another folder serves it too. This folder is for no other shop.
    each_agent_sees_its_own(&Server::demo_on(url)).await;
    let other = demo(&dir, &url.replace("//", "//x"));
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("another database"), "{other:?}");
}

/// A login of MariaDB with some rights on a database.
fn login(database: &TestDatabase, rights: &str) -> String {
    let (name, password) = (format!("loader_{}", database.name()), database.password());
    database.ask(&format!(
        "CREATE USER {name} IDENTIFIED BY '{password}'; GRANT {rights} ON {}.* TO {name}",
        database.name()
    ));
    database.url_of(&name)
}

#[tokio::test]
async fn the_shop_is_loaded_into_mariadb() {
    let Some(server) = MariaDbServer::shared() else { return };
    let database = server.database("CREATE TABLE `else` (id INT)");
    starts_and_goes_on(&login(&database, "ALL")).await;
    let count = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM products), (SELECT count(*) FROM orders)";
    assert_eq!(database.ask(count), [["6000", "400", "14000"]]);
}

#[tokio::test]
async fn what_fails_half_way_leaves_nothing_or_says_what() {
    let Some(server) = MariaDbServer::shared() else { return };
    let tables = |database: &TestDatabase| database.ask("SHOW TABLES").concat();
    let taken = server.database("CREATE TABLE orders (id INT); INSERT INTO orders VALUES (7)");
    let said = refused(&login(&taken, "ALL"));
    assert!(said.contains("a table `orders` that is not the demo's"), "{said}");
    assert_eq!(
        (tables(&taken), taken.ask("SELECT id FROM orders")),
        (vec!["orders".to_owned()], vec![vec!["7".to_owned()]])
    );
    // The last step, which says that the shop is complete, is what this login may not do.
    let undone = server.database("");
    let said = refused(&login(&undone, "SELECT, INSERT, CREATE, DROP, REFERENCES, INDEX"));
    assert!(said.contains("nothing of it is left") && tables(&undone).is_empty(), "{said}: {:?}", tables(&undone));
    // Nor may this one take away what it made.
    let left = server.database("");
    let url = login(&left, "SELECT, INSERT, CREATE, REFERENCES, INDEX");
    let said = refused(&url);
    assert!(said.contains("may have kept a part of it (`users`, `products`, `orders`)"), "{said}");
    let said = refused(&url);
    assert!(said.contains("was broken off") && said.contains("`users`"), "{said}");
    assert!(refused(&left.url_of("nobody")).contains("does not answer"));
    assert!(refused("sqlite:shop.db").contains("without a URL"));
}

#[tokio::test]
async fn the_shop_is_loaded_into_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database("").await;
    database.run(&format!("GRANT CREATE ON SCHEMA public TO {}", database.reader())).await;
    starts_and_goes_on(&database.url()).await;
    let taken = server.database("CREATE VIEW users AS SELECT 7 AS id").await;
    assert!(refused(&taken.superuser_url()).contains("a table `users` that is not the demo's"));
    let closed = server.database("").await;
    assert!(refused(&closed.url()).contains("nothing of it is left"));
}
