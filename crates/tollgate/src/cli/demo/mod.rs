//! `tollgate demo`: a sample shop, on SQLite or on a server that one names, three agents with different rights, everything else in one
//! folder, served at once.

mod folder;
mod shop;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;

use super::{
    output::{self, Paint},
    serve,
};
use crate::app::{Addresses, Overrides};

use folder::DemoFolder;
use shop::Shop;

/// Make a sample shop with three agents and serve it: on SQLite, or on a server that you name.
///
/// Everything it makes is in one folder: shop.db, tollgate.yaml, keys.json and audit/. Run again, it goes on from there. With --database
/// the shop is three tables (users, products, orders) in that database; where one of these names is taken, it refuses.
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "tollgate-demo")]
    dir: PathBuf,
    /// Load the shop into this database, by a login that may make tables: `mysql://…`, `mariadb://…` or `postgres://…` [default: a file
    /// of SQLite]. Kept in DIR/shop.url, which can be written beforehand instead, so that no password stands on a command line
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where to serve MCP; health and metrics are on the next port [default: as tollgate.yaml says, 127.0.0.1:8642]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Runs the command.
pub async fn run(command: Demo) -> ExitCode {
    let prepared = DemoFolder::prepare(&command.dir, command.database, &|progress| output::note(progress)).await;
    let folder = match prepared {
        Ok(folder) => folder,
        Err(error) => return output::failure(&output::chain(&error)),
    };
    let overrides = match command.listen {
        Some(listen) => {
            let port = if listen.port() == 0 { 0 } else { listen.port().wrapping_add(1) };
            Overrides { listen: Some(listen), metrics_listen: Some(SocketAddr::new(listen.ip(), port)) }
        }
        None => Overrides::default(),
    };
    serve::over_http(&folder.config_path(), overrides, |addresses| output::line(welcome(&folder, addresses))).await
}

fn welcome(folder: &DemoFolder, addresses: &Addresses) -> String {
    let paint = Paint::stdout();
    let url = format!("http://{}/mcp", addresses.agents);
    let rows: Vec<Vec<String>> = folder
        .keys()
        .iter()
        .map(|(agent, key)| vec![agent.clone(), folder::describe(agent).to_owned(), key.clone()])
        .collect();
    let key_of = |agent| folder.keys().get(agent).cloned().unwrap_or_default();
    let (key, analyst_key) = (key_of("support-eu"), key_of("analyst-us"));
    let dir = folder.dir().display();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query_users_by_region_v2","arguments":{"region":"eu","status":"active"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let curl = format!(
        "curl -s {url} \\\n  -H 'Authorization: Bearer {key}' \\\n  -H 'Content-Type: application/json' \\\n  \
         -H 'Accept: application/json, text/event-stream' \\\n  -H 'MCP-Protocol-Version: 2026-07-28' \\\n  \
         -H 'Mcp-Method: tools/call' -H 'Mcp-Name: query_users_by_region_v2' \\\n  -d '{body}'"
    );
    let client = format!(
        "{{\n  \"mcpServers\": {{\n    \"shop\": {{\n      \"type\": \"http\",\n      \"url\": \"{url}\",\n      \
         \"headers\": {{ \"Authorization\": \"Bearer {key}\" }}\n    }}\n  }}\n}}"
    );
    let next = [
        ("call query_users_by_region_v2 region=eu --as support-eu", "EU customers; their e-mail addresses are masked"),
        ("call query_users_by_region_v2 region=us-east --as support-eu", "no rows: for this agent they do not exist"),
        ("call query_users_by_region_v2 region=mars --as support-eu", "refused, with what would be right: TG310"),
        ("call revenue_by_region --as support-eu", "refused: not this agent's tool: TG301"),
        ("explain orders_of_user user_id=3 --as support-eu", "the statement as written, and as it runs"),
        ("check --matrix", "who sees what"),
        ("audit tail -n 20", "what was run, by whom, and what was refused"),
    ];
    let narrow = (
        "harden --role support --role analyst --role auditor",
        "SQL for a login that can read this and nothing else; its URL belongs into shop.url",
    );
    let narrow = matches!(folder.shop(), Shop::Server(_)).then_some(narrow);
    let line = |(command, what)| vec![format!("  tollgate {command}"), str::to_owned(what)];
    let next: Vec<Vec<String>> = next.into_iter().chain(narrow).map(line).collect();
    let own = [
        (
            r#"call query sql="SELECT region, count(*) FROM users GROUP BY region" --as analyst-us"#,
            "its own SELECT: two regions, for it there are no others",
        ),
        (
            r#"call query sql="SELECT name, ssn FROM users" --as analyst-us"#,
            "refused: for this agent there is no such column: TG405",
        ),
        (r#"explain --sql "SELECT count(*) FROM orders" --as analyst-us"#, "what it becomes"),
    ]
    .map(line);
    let heading = |text: &str| format!("\n{}", paint.bold(text));
    [
        heading("The sample shop is served."),
        format!("  MCP      {}", paint.cyan(&url)),
        format!("  health   {}", paint.cyan(&format!("http://{}/readyz", addresses.metrics))),
        format!("  metrics  {}", paint.cyan(&format!("http://{}/metrics", addresses.metrics))),
        format!("  folder   {dir}   {}, tollgate.yaml (read it), keys.json, audit/", folder.shop().file()),
        heading("Three agents, each with rows, columns and tools of its own"),
        output::indent(&output::table(&["agent", "sees", "key"], &rows)),
        heading("A first call"),
        paint.cyan(&curl),
        heading("For an MCP client"),
        client,
        heading("What to try next, in another terminal"),
        format!("  cd {dir} && export TOLLGATE_KEY={key}"),
        output::aligned(&next),
        heading("An agent that writes its own SQL"),
        format!("  export TOLLGATE_KEY={analyst_key}"),
        output::aligned(&own),
        format!("\n{}", paint.dim("Ctrl-C stops it; running calls are finished and written down first.")),
    ]
    .join("\n")
}
