//! MariaDB for the suite: a database on a throw-away server, read by a login that may only read.

use std::sync::Arc;

use super::Fixture;
use crate::{
    Backend, PoolLimits, mysql,
    testing::mariadb::{MariaDbServer, TestDatabase},
};

pub(super) struct Database {
    backend: Arc<dyn Backend>,
    database: TestDatabase,
}

impl Database {
    fn on(server: &Arc<MariaDbServer>, limits: PoolLimits) -> Self {
        let database = server.database(include_str!("../../testdata/conformance/setup.mariadb.sql"));
        let backend = mysql::connect(&database.url(), limits).unwrap();
        Self { backend, database }
    }
}

impl Fixture for Database {
    async fn start(limits: PoolLimits) -> Option<Self> {
        Some(Self::on(&MariaDbServer::shared()?, limits))
    }

    async fn start_alone(limits: PoolLimits) -> Option<Self> {
        Some(Self::on(&Arc::new(MariaDbServer::start()?), limits))
    }

    fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    fn go_away(&self) {
        self.database.server().crash();
    }

    fn come_back(&self) {
        self.database.server().restart();
    }
}
