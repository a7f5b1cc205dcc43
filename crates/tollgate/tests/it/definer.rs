//! Tools that run without their caller's row filters, as their operators and callers meet them: what they show whom, that no parameter
//! makes them show fewer rows than a group, and that an operator sees it coming.

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::harness::tollgate;

const CONFIG: &str = r#"
databases: { shop: { url: "sqlite:shop.db" } }
roles:
  clerk: { tools: [salaries] }
  boss:
    tables:
      shop.people: { columns: [dept, salary], masks: { dept: redact }, rows: "dept = 'a'" }
    tools: [salaries]
agents: { clerk: { role: clerk, local: true }, boss: { role: boss, local: true } }
tools:
  salaries:
    description: How many earn what.
    security: definer
    columns: { people: [id, name, dept, salary, bonus] }
    min_group_size: 5
    params:
      dept: { type: string, required: false }
      not_dept: { type: string, required: false }
      name: { type: string, required: false }
      depts: { type: array, items: { type: string }, required: false }
      least: { type: integer, required: false }
    sql: |
      SELECT count(*) AS n, sum(salary) AS s FROM people
      WHERE 1 = 1 [[ AND dept = :dept ]] [[ AND dept <> :not_dept ]] [[ AND name <> :name ]] [[ AND dept IN (:depts) ]]
      [[ AND salary > :least ]]
"#;

struct Shop(tempfile::TempDir);

impl Shop {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tollgate.yaml"), config).unwrap();
        let people = (1..=22).map(|id| {
            let dept = ["a", "b", "c"][usize::from(id > 12) + usize::from(id > 20)];
            let bonus = if id == 7 { "77" } else { "NULL" };
            format!("INSERT INTO people VALUES ({id}, 'p{id}', '{dept}', {}, {bonus}, 'SECRET')", 1_000 + id)
        });
        let table = "CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, dept text NOT NULL, salary integer NOT NULL, \
                     bonus integer, note text)";
        let setup: Vec<String> = std::iter::once(table.to_owned()).chain(people).collect();
        rusqlite::Connection::open(folder.path().join("shop.db")).unwrap().execute_batch(&setup.join(";")).unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let config = self.0.path().join("tollgate.yaml");
        let Output { status, stdout, stderr } = tollgate().args(arguments).arg("-c").arg(config).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    }

    /// The one row that the tool answers.
    fn salaries(&self, agent: &str, arguments: &[&str]) -> Value {
        let config = self.0.path().join("tollgate.yaml");
        let mut command = tollgate();
        command.args(["call", "salaries"]).args(arguments).args(["--as", agent, "--format", "json", "-c"]).arg(config);
        let output = command.output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        answer["rows"][0].clone()
    }
}

#[test]
fn whoever_calls_sees_whole_groups_of_all_rows() {
    let shop = Shop::with(CONFIG);
    let everybody = json!({"n": 22, "s": 22_253});
    let nobody = json!({"n": 0, "s": null});
    let of_a = json!({"n": 12, "s": 12_078});
    for (arguments, expected) in [
        (&[][..], &everybody),
        (&["dept=a"], &of_a),
        // `c` is too small, and `b` goes with it: everybody less `a` and `b` would be `c`.
        (&["dept=b"], &nobody),
        (&["dept=c"], &nobody),
        (&["not_dept=c"], &of_a),
        (&["not_dept=a"], &nobody),
        (&[r#"depts=["a","b"]"#], &of_a),
        (&[r#"depts=["b","c"]"#], &nobody),
        // One name is one row, and all but one name all but one row.
        (&["name=p7"], &nobody),
        (&["name="], &nobody),
        (&["name=p7", "dept=a"], &nobody),
        (&["least=1021"], &nobody),
        (&["least=0"], &nobody),
    ] {
        assert_eq!(shop.salaries("clerk", arguments), *expected, "{arguments:?}");
    }
    // One bonus among NULLs is not a sum over many, and all but that one row go with it.
    let with_bonus = Shop::with(&CONFIG.replacen("sum(salary) AS s", "sum(bonus) AS s", 1));
    assert_eq!(with_bonus.salaries("clerk", &[]), nobody);
    // The caller's mask stays: for this one the departments are one.
    assert_eq!(shop.salaries("boss", &[]), everybody);
    assert_eq!(shop.salaries("boss", &["dept=a"]), nobody);
}

#[test]
fn an_operator_sees_what_runs_without_filters() {
    let shop = Shop::with(CONFIG);
    let (code, said) = shop.run(&["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("without row filters"), "{said}");
    assert!(
        said.contains("role `boss` sees `main.people` by itself too") && !said.contains("role `clerk` sees"),
        "{said}"
    );
    let (_, matrix) = shop.run(&["check", "--matrix"]);
    let of_tool = matrix.split("salaries, without row filters").nth(1).unwrap_or_else(|| panic!("{matrix}"));
    let lines: Vec<Vec<&str>> = of_tool.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["groups", "of", "at", "least", "5", "5"], "{matrix}");
    assert!(lines.contains(&vec!["main.people", "dept", "mask", "redact", "allow"]), "{matrix}");
    assert!(lines.contains(&vec!["main.people", "salary", "allow", "allow"]), "{matrix}");
    let (_, explained) = shop.run(&["explain", "salaries", "--as", "clerk"]);
    assert!(explained.contains("(role clerk, without its row filters)"), "{explained}");
    assert_eq!(shop.run(&["lock"]).0, Some(0));
    assert_eq!(shop.run(&["check", "--locked"]).0, Some(0));
    let path = shop.0.path().join("tollgate.yaml");
    fs::write(&path, CONFIG.replace("salary, bonus]", "salary, bonus, note]").replace("size: 5", "size: 2")).unwrap();
    let (code, changed) = shop.run(&["check", "--locked"]);
    assert_eq!(code, Some(1), "{changed}");
    assert!(changed.contains("it reads other columns") && changed.contains("it shows other groups"), "{changed}");
}

#[test]
fn what_could_not_keep_the_promise_is_refused() {
    for (from, to, because) in [
        ("    min_group_size: 5\n", "", "needs `columns`"),
        ("    security: definer\n", "", "are for `security: definer`"),
        ("min_group_size: 5", "min_group_size: 1", "2"),
        ("name <> :name", "id <> :name", "tells single rows apart"),
        ("name <> :name", "note <> :name", "unknown column `note`"),
        ("AS s FROM people", "AS s FROM people, secrets", "unknown table `secrets`"),
        ("people: [id, name", "person: [id, name", "unknown table `person`"),
        ("people: [id, name", "people: [id, nam", "unknown column `nam`"),
        ("people: [id, name", "people: [id, id, name", "listed twice"),
        ("    min_group_size: 5\n", "    min_group_size: 5\n    page: { key: [id] }\n", "cannot be paged by this key"),
    ] {
        let config = CONFIG.replacen(from, to, 1);
        assert_ne!(config, CONFIG, "{from}");
        let (code, said) = Shop::with(&config).run(&["check"]);
        assert!(code == Some(1) && said.contains(because), "{to}: {said}");
    }
}
