//! TLS to the server: always with a verified certificate and host name, or not at all. There is no mode that encrypts
//! and does not verify, since whoever can read such a connection can also stand in its middle.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::UrlError;

/// A connector that trusts the certificates of a file, or else those of the system.
pub(super) fn verified(root_certificates: Option<&Path>) -> Result<MakeRustlsConnect, UrlError> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path).map_err(|_| UrlError::RootCertificates)?;
            for certificate in certificates {
                let certificate = certificate.map_err(|_| UrlError::RootCertificates)?;
                roots.add(certificate).map_err(|_| UrlError::RootCertificates)?;
            }
            if roots.is_empty() {
                return Err(UrlError::RootCertificates);
            }
        }
        None => {
            // What cannot be read is left out; without any, no server is trusted and connecting says so.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    connector(roots)
}

/// A connector for connections without TLS: it trusts nobody, and is never asked.
pub(super) fn unused() -> Result<MakeRustlsConnect, UrlError> {
    connector(RootCertStore::empty())
}

fn connector(roots: RootCertStore) -> Result<MakeRustlsConnect, UrlError> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| UrlError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
