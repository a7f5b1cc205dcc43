//! The first corpus of a target, a file a text, in the folder that `TOLLGATE_CORPUS` names. libFuzzer reads it afterwards.

use std::{env, fs, path::Path};

pub fn write(target: &str) {
    let Some(folder) = env::var_os("TOLLGATE_CORPUS") else { return };
    fs::create_dir_all(&folder).unwrap();
    let texts = if target == "arguments" {
        let values = [
            "{}",
            r#"{"name": "ab", "age": 5, "born": "2024-02-29", "since": "2026-01-31T09:30:00Z", "token": "123e4567-e89b-42d3-a456-426614174000", "score": 1e2, "active": true, "count": 3}"#,
        ];
        values.map(str::to_owned).to_vec()
    } else {
        tollgate_fuzz::mutate::seeds()
    };
    for (at, text) in texts.iter().enumerate() {
        // A row filter's case names its table first.
        let text =
            if target == "filter" { text.split_once(": ").map_or(text.as_str(), |(_, filter)| filter) } else { text };
        fs::write(Path::new(&folder).join(format!("case-{at}")), text).unwrap();
    }
}
