//! A real `tollgate` process per test: a folder of its own, free ports, killed when the test ends.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    dir: PathBuf,
    /// `http://127.0.0.1:port/mcp`
    pub url: String,
    /// `http://127.0.0.1:port` of health and metrics.
    pub monitoring: String,
    /// Removed when the server is dropped.
    folder: Option<TempDir>,
}

/// The binary under test.
pub fn tollgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.env_remove("TOLLGATE_CONFIG").env_remove("TOLLGATE_KEY").stdin(Stdio::null());
    command
}

/// Makes an API key: the key and the line for the configuration.
pub fn new_key() -> (String, String) {
    let output = tollgate().args(["key", "new", "test", "--format", "json"]).output().unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    (made["key"].as_str().unwrap().to_owned(), made["hash"].as_str().unwrap().to_owned())
}

impl Server {
    /// `tollgate demo` in a new folder.
    pub fn demo() -> Self {
        Self::demo_with(&[])
    }

    /// The same with the shop in the database of a URL.
    pub fn demo_on(url: &str) -> Self {
        Self::demo_with(&["--database", url])
    }

    fn demo_with(arguments: &[&str]) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let dir = keep.path().join("demo");
        let mut command = tollgate();
        command.arg("demo").args(arguments).args(["--listen", "127.0.0.1:0", "--dir"]).arg(&dir);
        let mut server = Self::spawn(command, &dir);
        server.folder = Some(keep);
        server
    }

    /// `tollgate demo` once more in a folder that it made.
    pub fn serve_demo_again(dir: &Path) -> Self {
        let mut command = tollgate();
        command.args(["demo", "--listen", "127.0.0.1:0", "--dir"]).arg(dir);
        Self::spawn(command, dir)
    }

    /// `tollgate serve` with the configuration at `dir/tollgate.yaml`.
    pub fn serve(dir: &Path) -> Self {
        let mut command = tollgate();
        command.args(["serve", "-c"]).arg(dir.join("tollgate.yaml"));
        Self::spawn(command, dir)
    }

    fn spawn(mut command: Command, dir: &Path) -> Self {
        command.args(["--log-format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (found, addresses) = mpsc::channel();
        let said = Arc::new(Mutex::new(Vec::new()));
        let saying = Arc::clone(&said);
        let log = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if std::env::var_os("TOLLGATE_TEST_LOG").is_some() {
                    eprintln!("{line}");
                }
                let Ok(event) = serde_json::from_str::<Value>(&line) else {
                    saying.lock().unwrap().push(line);
                    continue;
                };
                if event["message"] == "serving" {
                    let address = |key: &str| event[key].as_str().unwrap().to_owned();
                    drop(found.send((address("agents"), address("metrics"))));
                }
            }
        });
        // Standard output is read to its end so that the process never waits for a reader.
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).for_each(drop));
        let (agents, metrics) = addresses
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the server does not say where it listens: {:?}", said.lock().unwrap()));
        let url = format!("http://{agents}/mcp");
        Self { child, dir: dir.to_owned(), url, monitoring: format!("http://{metrics}"), folder: None }
    }

    /// The folder with its configuration, keys and audit log.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The keys that the demo made.
    pub fn demo_keys(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&fs::read_to_string(self.dir.join("keys.json")).unwrap()).unwrap()
    }

    /// An agent with this key.
    pub fn agent(&self, key: &str) -> Agent {
        Agent { http: http(), url: self.url.clone(), key: key.to_owned() }
    }

    /// Sends a signal, as `kill` does.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the server does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every record of the audit log, in the order of each file.
    pub fn audit(&self) -> Vec<Value> {
        audit_records(&self.dir.join("audit"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Every record below an audit directory.
pub fn audit_records(dir: &Path) -> Vec<Value> {
    let mut records = Vec::new();
    let mut folders: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "jsonl"));
        files.sort();
        for file in files {
            let text = fs::read_to_string(file).unwrap();
            records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    records
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// An agent that speaks the current revision of MCP over HTTP.
#[derive(Clone)]
pub struct Agent {
    http: reqwest::Client,
    url: String,
    key: String,
}

/// What came of a call.
#[derive(Debug)]
pub struct Called {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers.
    pub headers: String,
    /// The whole JSON-RPC answer.
    pub body: Value,
}

impl Called {
    /// The rows of a call that succeeded.
    pub fn rows(&self) -> &Vec<Value> {
        assert_eq!(self.body["result"]["isError"], json!(false), "{self:?}");
        self.body["result"]["structuredContent"]["rows"].as_array().unwrap_or_else(|| panic!("no rows: {self:?}"))
    }

    /// The result object.
    pub fn result(&self) -> &Value {
        &self.body["result"]["structuredContent"]
    }

    /// The code of a refusal, wherever the protocol puts it.
    pub fn code(&self) -> &str {
        let meta = &self.body["result"]["_meta"]["code"];
        let data = &self.body["error"]["data"]["code"];
        meta.as_str().or(data.as_str()).unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// Everything that the agent can read.
    pub fn text(&self) -> String {
        self.body.to_string()
    }
}

impl Agent {
    /// One request of any method.
    pub async fn request(&self, method: &str, mut params: Value) -> Called {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = self.http.post(&self.url).header("mcp-method", method).body(body.to_string());
        if let Some(name) = name {
            request = request.header("mcp-name", name);
        }
        self.send(request).await
    }

    /// One resource.
    pub async fn read(&self, uri: &str) -> Called {
        self.request("resources/read", json!({ "uri": uri })).await
    }

    /// One call of a tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> Called {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// One call to a server that may die meanwhile; `None` when it did.
    pub async fn try_call(&self, tool: &str, arguments: Value) -> Option<()> {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let request = self.http.post(&self.url).header("mcp-method", "tools/call").header("mcp-name", tool).body(body);
        let response = self.headers(request).send().await.ok()?;
        response.text().await.ok().map(drop)
    }

    /// One call whose arguments are exactly this JSON text.
    pub async fn call_raw(&self, tool: &str, arguments: &str) -> Called {
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},{meta}}}}}"#
        );
        self.send(self.http.post(&self.url).header("mcp-method", "tools/call").header("mcp-name", tool).body(body))
            .await
    }

    /// A body as it is, with the headers of a tool call.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Called {
        let request = self.http.post(&self.url).header("mcp-method", "tools/call").header("mcp-name", "t").body(body);
        self.send(request).await
    }

    /// The names of the tools it may call.
    pub async fn tools(&self) -> Vec<String> {
        let listed = self.request("tools/list", json!({})).await;
        let tools = listed.body["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {listed:?}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    fn headers(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Called {
        let response = self.headers(request).send().await.unwrap();
        let status = response.status().as_u16();
        let headers = format!("{:?}", response.headers());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Called { status, headers, body }
    }
}
