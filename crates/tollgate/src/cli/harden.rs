//! `tollgate harden`: the statements that make a database's login as narrow as a role. It prints them and runs none.

use std::process::ExitCode;

use clap::Args;
use tollgate_backends::{NarrowLogin, RowFilter};
use tollgate_core::names::{DatabaseName, RoleName};

use super::{ConfigFile, output, serve::cannot_start};
use crate::{
    app::StartError,
    config::{self, Compiled, Diagnostics},
    gateway::Role,
};

/// The longest name of a login.
const LOGIN_BYTES_MAX: usize = 63;

/// Print the SQL that makes a login as narrow as a role, for the database's administrator to run.
///
/// The database itself then refuses what the policy does not name. It needs the database, and changes nothing there.
#[derive(Debug, Args)]
pub struct Harden {
    #[command(flatten)]
    config: ConfigFile,
    /// The role; several, for a login that serves several
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<RoleName>,
    /// The database, where the roles read several
    #[arg(long, value_name = "DATABASE")]
    database: Option<DatabaseName>,
    /// The login's name [default: `tollgate_` and the role's name, or `tollgate` for several]
    #[arg(long, value_name = "NAME", value_parser = login_name)]
    login: Option<String>,
}

/// Runs the command.
pub async fn run(command: Harden) -> ExitCode {
    let compiled = match compile(&command.config).await {
        Ok(compiled) => compiled,
        Err(diagnostics) => return cannot_start(&StartError::Config(diagnostics)),
    };
    let script = script(&command, &compiled).await;
    for database in compiled.gateway.databases.values() {
        database.backend.close().await;
    }
    match script {
        Ok(script) => {
            output::line(script.trim_end());
            ExitCode::SUCCESS
        }
        Err(problem) => output::failure(&problem),
    }
}

async fn compile(config: &ConfigFile) -> Result<Compiled, Diagnostics> {
    config::compile_with_any_login(config::load(&config.path())?).await
}

async fn script(command: &Harden, compiled: &Compiled) -> Result<String, String> {
    let role = |name: &RoleName| {
        let role = compiled.gateway.roles.get(name);
        role.ok_or_else(|| format!("the configuration has no role `{name}`"))
    };
    let roles: Vec<&Role> = command.roles.iter().map(role).collect::<Result<_, _>>()?;
    let name = database(command, compiled, &roles)?;
    let database = compiled.gateway.databases.get(name).ok_or_else(|| format!("database `{name}` does not answer"))?;
    let (default, filters) = match roles.as_slice() {
        [role] => (format!("tollgate_{}", role.name), filters(compiled, role, name)),
        // What one of several sees may be more than another does.
        _ => ("tollgate".to_owned(), Vec::new()),
    };
    let login = command.login.clone().map_or_else(|| login_name(&default), Ok)?;
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    let reach = compiled.reach(&roles, name);
    let narrow = NarrowLogin { name: &login, roles: &names.join(", "), reach: &reach, filters: &filters };
    database.backend.harden(&narrow).await.map_err(|error| output::chain(&error))
}

/// The database that was named, or the only one that the roles read.
fn database<'c>(command: &Harden, compiled: &'c Compiled, roles: &[&Role]) -> Result<&'c DatabaseName, String> {
    let mut all = compiled.gateway.databases.keys().chain(compiled.gateway.unavailable.keys());
    if let Some(named) = &command.database {
        return all.find(|name| *name == named).ok_or_else(|| format!("there is no database `{named}`"));
    }
    let mut read = all.filter(|name| !compiled.reach(roles, name).tables().is_empty());
    match (read.next(), read.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err("they read no database that answers".to_owned()),
        (Some(_), Some(_)) => Err("several databases are read: say which with `--database`".to_owned()),
    }
}

fn filters(compiled: &Compiled, role: &Role, database: &DatabaseName) -> Vec<RowFilter> {
    let Some(policy) = compiled.policies.get(&role.name).and_then(|policies| policies.get(database)) else {
        return Vec::new();
    };
    let filtered = policy.restrictions().tables.iter().filter(|(_, restriction)| restriction.filter.is_some());
    let filter = filtered.map(|(table, restriction)| RowFilter {
        table: table.clone(),
        conditions: policy.filters(table).to_vec(),
        same_for_all: restriction.is_the_same_for_all(),
    });
    filter.collect()
}

/// A name that needs no care wherever it is written.
fn login_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.is_empty() || text.len() > LOGIN_BYTES_MAX || !text.chars().all(plain) {
        return Err(format!("a login's name has 1 to {LOGIN_BYTES_MAX} letters, digits, `_` and `-`"));
    }
    if text.starts_with("pg_") || ["public", "none"].contains(&text) {
        return Err("names that begin with `pg_`, and `public` and `none`, are PostgreSQL's own".to_owned());
    }
    Ok(text.to_owned())
}
