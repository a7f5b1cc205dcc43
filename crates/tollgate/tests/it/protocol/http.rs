//! Requests and their answers, as files: `testdata/protocol/*.http`.
//!
//! Each file has one or more exchanges. `> ` lines are the request: method and path, headers (an empty value takes away
//! one that is there by itself), an empty line, the body. `< ` lines are the answer: status, the headers that matter,
//! the body; `! ` lines are what the host was told. `{{meta}}` is what a request of 2026-07-28 says about itself.
//! With `TOLLGATE_BLESS=1` the answers are written instead of compared.

use std::{fmt::Write as _, fs, path::Path};

use tollgate::protocol::http::HttpSettings;

use super::{
    fake_host::FakeHost,
    harness::{Harness, META, post},
};

#[tokio::test]
async fn requests_get_the_answers_of_the_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/protocol");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "http"));
    files.sort();
    assert!(files.len() > 5);
    let bless = std::env::var_os("TOLLGATE_BLESS").is_some();
    let mut different = Vec::new();
    for path in files {
        let written = fs::read_to_string(&path).unwrap();
        let seen = replay(&written).await;
        if bless {
            fs::write(&path, &seen).unwrap();
        } else if seen != written {
            different.push(format!("{}:\n{seen}", path.display()));
        }
    }
    assert!(different.is_empty(), "answers differ:\n{}", different.join("\n"));
}

/// The file as it would be if its answers were those of the server.
async fn replay(file: &str) -> String {
    let mut out = String::new();
    let mut request: Vec<&str> = Vec::new();
    for line in file.lines().chain(["#"]) {
        if let Some(part) = line.strip_prefix('>') {
            request.push(part.strip_prefix(' ').unwrap_or(part));
            writeln!(out, "{line}").unwrap();
            continue;
        }
        if !request.is_empty() {
            out.push_str(&exchange(&std::mem::take(&mut request)).await);
        }
        if !line.starts_with(['<', '!']) {
            writeln!(out, "{line}").unwrap();
        }
    }
    out.truncate(out.len() - "#\n".len());
    out
}

async fn exchange(request: &[&str]) -> String {
    let harness = Harness::with_host(FakeHost { many: 300, ..FakeHost::default() }, HttpSettings::default()).await;
    let mut lines = request.iter();
    let target = *lines.next().unwrap();
    let headers: Vec<(&str, &str)> =
        lines.by_ref().take_while(|line| !line.is_empty()).map(|line| line.split_once(':').unwrap()).collect();
    let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name, value.trim())).collect();
    let body = lines.copied().collect::<Vec<_>>().join("\n").replace("{{meta}}", META);
    let bytes = String::from_utf8(post(&headers, body.as_bytes())).unwrap().replacen("POST /mcp", target, 1);
    let answer = harness.ask(bytes.as_bytes()).await;

    let mut out = format!("< {}\n", answer.status);
    for (name, value) in &answer.headers {
        if ["allow", "www-authenticate", "retry-after", "connection"].contains(&name.as_str()) {
            writeln!(out, "< {name}: {value}").unwrap();
        }
    }
    if !answer.body.is_empty() {
        let body = answer.body.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        writeln!(out, "<\n< {}", shortened(&body)).unwrap();
    }
    for line in harness.host.lines() {
        writeln!(out, "! {line}").unwrap();
    }
    out
}

/// A list of hundreds of tools is told by its ends.
fn shortened(body: &str) -> String {
    let (Some(from), Some(to)) = (body.find(r#",{"name":"tool_"#), body.rfind(r#",{"name":"tool_"#)) else {
        return body.to_owned();
    };
    format!("{} … {}", &body[..from], &body[to..])
}
