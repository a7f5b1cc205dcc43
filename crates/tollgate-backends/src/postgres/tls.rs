//! The channel to the server. TLS is always with a verified certificate and host name, or not there at all: there is no mode that
//! encrypts and does not verify, since whoever can read such a connection can also stand in its middle. Either way what arrives is
//! bounded before the driver reads it.

use std::{
    convert::Infallible,
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Config,
    config::{SslMode, SslNegotiation},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    inbound::{Bounded, Inbound},
    url::UrlError,
};
use crate::server::url::{Tls, UrlError as OfAnyServer, root_certificates};

/// What makes the channels to one server.
#[derive(Clone)]
pub(super) struct Channels(Option<MakeRustlsConnect>);

impl Channels {
    /// Of that kind, and the configuration that asks the driver for them.
    pub(super) fn new(tls: Tls, config: &mut Config) -> Result<Self, UrlError> {
        match tls {
            Tls::Plain => {
                // The driver lends its plain streams to nobody. So it is told of TLS without a question to the server, and what
                // it takes for TLS passes on what it is given.
                config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
                Ok(Self(None))
            }
            Tls::Verified(roots) => {
                config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Postgres);
                Ok(Self(Some(verified(roots.as_deref())?)))
            }
        }
    }

    /// For one connection.
    pub(super) fn bounded_by(&self, inbound: &Arc<Inbound>) -> Channel {
        Channel { tls: self.0.clone(), inbound: Arc::clone(inbound) }
    }
}

/// What makes one channel.
#[derive(Clone)]
pub(super) struct Channel {
    tls: Option<MakeRustlsConnect>,
    inbound: Arc<Inbound>,
}

type Encrypted<S> = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;

/// A socket, or TLS over one.
pub(super) enum Transport<S>
where
    MakeRustlsConnect: MakeTlsConnect<S>,
{
    Plain(S),
    Encrypted(Encrypted<S>),
}

/// A channel about to be opened over a socket, to the host of that name.
pub(super) struct Opening {
    channel: Channel,
    host: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Channel {
    type Stream = Bounded<Transport<S>>;
    type TlsConnect = Opening;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Opening, Infallible> {
        Ok(self.opening(host))
    }
}

impl Channel {
    /// For a socket that is opened without the driver.
    pub(super) fn opening(&self, host: &str) -> Opening {
        Opening { channel: self.clone(), host: host.to_owned() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Opening {
    type Stream = Bounded<Transport<S>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Stream>> + Send>>;

    fn connect(self, socket: S) -> Self::Future {
        let Self { channel: Channel { tls, inbound }, host } = self;
        Box::pin(async move {
            let transport = match tls {
                None => Transport::Plain(socket),
                Some(mut tls) => {
                    let Ok(handshake) = MakeTlsConnect::<S>::make_tls_connect(&mut tls, &host);
                    Transport::Encrypted(handshake.connect(socket).await?)
                }
            };
            Ok(Bounded::new(transport, inbound))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsStream for Bounded<Transport<S>> {
    fn channel_binding(&self) -> ChannelBinding {
        match self.get_ref() {
            Transport::Plain(_) => ChannelBinding::none(),
            Transport::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> AsyncRead for Transport<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> AsyncWrite for Transport<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A connector that trusts the certificates of a file, or else those of the system.
fn verified(file: Option<&Path>) -> Result<MakeRustlsConnect, UrlError> {
    let certificates = root_certificates(file)?;
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(certificates);
    // Without any of the system's, no server is trusted and connecting says so.
    if file.is_some() && unusable > 0 {
        return Err(OfAnyServer::RootCertificates.into());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| UrlError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
