//! What a server's messages may be long, before the driver sees one. The driver keeps a message until its last byte is there, and a
//! row is one message, so that it alone would bound no value. It reads where messages begin and end, and nothing else of them.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest answer to a question of ours: to the catalogs, for a plan, for what a statement is.
pub(super) const OWN_MAX: usize = 16 << 20;
/// The shortest that a message may always be: what a statement's columns are called, an error.
const MESSAGE_MIN: usize = 1 << 20;
/// How much longer a row may be than what it is written as: of the integers of an array each takes at least eight bytes, and two as JSON.
const FACTOR: usize = 4;

/// A message longer than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer has a message, such as a row, that is longer than is read")]
pub(super) struct TooLong;

/// What was too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// A row.
    Row,
    /// Anything else: an error that quotes a value, say.
    Other,
}

/// One connection's bound, shared by who asks and who reads.
#[derive(Debug)]
pub(super) struct Inbound {
    most: AtomicUsize,
    passed: OnceLock<Passed>,
}

impl Inbound {
    /// For questions of ours.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { most: AtomicUsize::new(OWN_MAX), passed: OnceLock::new() })
    }

    /// Bounds the messages to come by what their rows may be written as. Nothing of an earlier answer may be on its way.
    pub(super) fn expect_rows(&self, bytes_max: usize) {
        self.most.store(bytes_max.saturating_mul(FACTOR).max(MESSAGE_MIN), Ordering::Release);
    }

    /// Bounds the messages to come as answers to questions of ours.
    pub(super) fn expect_answers(&self) {
        self.most.store(OWN_MAX, Ordering::Release);
    }

    /// The message that was too long. The connection ended before it.
    pub(super) fn passed(&self) -> Option<Passed> {
        self.passed.get().copied()
    }
}

/// A byte stream from a server that ends, with an error, before a message that is too long.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    framing: Framing,
    inbound: Arc<Inbound>,
}

impl<S> Bounded<S> {
    /// Over a stream that no message has come through yet.
    pub(super) fn new(stream: S, inbound: Arc<Inbound>) -> Self {
        Self { stream, framing: Framing::default(), inbound }
    }

    /// The stream itself.
    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.inbound.passed().is_some() {
            return Poll::Ready(Err(io::Error::other(TooLong)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let arrived = buf.filled().get(before..).unwrap_or_default();
        let Err(Break { at, kind }) = this.framing.follow(arrived, this.inbound.most.load(Ordering::Acquire)) else {
            return Poll::Ready(Ok(()));
        };
        // What stands before it is whole, and may be rows.
        buf.set_filled(before + at);
        let passed = if kind == ROW { Passed::Row } else { Passed::Other };
        this.inbound.passed.get_or_init(|| passed);
        Poll::Ready(if at == 0 { Err(io::Error::other(TooLong)) } else { Ok(()) })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The kind of message that a row is.
const ROW: u8 = b'D';
/// Of a message's header: its kind, and the length of what follows the kind.
const HEADER: usize = 5;
/// The bytes of that length, which it counts too.
const LENGTH: u32 = 4;

/// Where a message that may not be read begins, counted from the first of the bytes looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Break {
    at: usize,
    kind: u8,
}

/// The place in the stream of messages: within a header or within a body.
#[derive(Clone, Debug, Default)]
struct Framing {
    header: [u8; HEADER],
    /// How much of the header is there.
    known: usize,
    /// How much of the body is still to come.
    body: usize,
}

impl Framing {
    /// Goes on over these bytes. A length that no message can have is as one that is too long.
    fn follow(&mut self, arrived: &[u8], most: usize) -> Result<(), Break> {
        let mut rest = arrived;
        loop {
            let within = self.body.min(rest.len());
            self.body -= within;
            rest = rest.get(within..).unwrap_or_default();
            let Some((byte, after)) = rest.split_first() else { return Ok(()) };
            if let Some(place) = self.header.get_mut(self.known) {
                *place = *byte;
            }
            self.known += 1;
            rest = after;
            if self.known == HEADER {
                let [kind, length @ ..] = self.header;
                let body = u32::from_be_bytes(length).checked_sub(LENGTH).and_then(|body| usize::try_from(body).ok());
                let Some(body) = body.filter(|body| *body <= most) else {
                    let at = (arrived.len() - rest.len()).saturating_sub(HEADER);
                    return Err(Break { at, kind });
                };
                self.known = 0;
                self.body = body;
            }
        }
    }
}

#[cfg(test)]
mod tests;
