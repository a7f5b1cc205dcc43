//! Certificates for throw-away servers that speak TLS, made anew for each. Nothing but tests ever trusts one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::process;

/// Whether a server speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Plain text only.
    Off,
    /// TLS with a certificate for `localhost` and no other name, signed by the server's `root_certificate`.
    On,
}

/// The certificate that those in a folder are verified by.
pub(super) fn root(folder: &Path) -> PathBuf {
    folder.join("root.crt")
}

/// Makes `root.crt`, and `server.crt` with `server.key`, in a folder.
pub(super) fn make(folder: &Path) {
    let openssl = |arguments: &str| {
        process::run(Command::new("openssl").args(arguments.split(' ')).current_dir(folder));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout root.key -out root.crt -subj /CN=root -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        "x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -extfile names -days 2 -out server.crt",
    );
}
