//! What the URLs of servers have in common: percent-encoding, which hosts are this machine, whom TLS trusts. It holds no part of a URL,
//! since a password may stand anywhere in one that is wrong.

use std::{net::IpAddr, path::Path};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// The text that a percent-encoded one stands for; `None` where it stands for none.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (code, after) = rest.split_first_chunk::<2>()?;
        if !code.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Whether a host is this machine by its name.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The certificates that a server is verified by: a file's, or else the system's, where what cannot be read is left out. `None` where
/// the file cannot be read or holds none.
pub(crate) fn root_certificates(file: Option<&Path>) -> Option<Vec<CertificateDer<'static>>> {
    let Some(path) = file else { return Some(rustls_native_certs::load_native_certs().certs) };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).ok()?.collect();
    certificates.ok().filter(|certificates| !certificates.is_empty())
}
