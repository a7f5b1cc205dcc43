//! Limits on connections that hold before anybody is authenticated: how many, from where, and how slowly they read.

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// Counts connections in total and by address.
#[derive(Debug)]
pub(super) struct Connections {
    total_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    pub(super) fn new(total_max: usize, per_address_max: usize) -> Self {
        Self { total_max, per_address_max, open: Mutex::default() }
    }

    /// A place for one more connection, if there is one.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let address = neighbourhood(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if open.total >= self.total_max || here >= self.per_address_max {
            return None;
        }
        open.total += 1;
        open.by_address.insert(address, here + 1);
        Some(Slot { connections: Arc::clone(self), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        // The entry goes with its last connection, so the map is never larger than the cap.
        if let Some(here) = open.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// One machine has a whole /64 of IPv6 addresses to come from.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// How long, and for how many bytes, the end of a connection waits for what its client still sends.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 64 << 10;

/// A stream whose answers must be taken within a time, and which ends so that the last of them arrives.
#[derive(Debug)]
pub(super) struct PatientStream {
    stream: TcpStream,
    patience: Duration,
    /// Runs from the first write that had to wait until everything is written.
    waiting: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

/// The answer is written and its end too; bytes that came unread would make the system reset the connection, and the
/// client might never see the answer.
#[derive(Debug)]
struct Lingering {
    until: Pin<Box<Sleep>>,
    left: usize,
}

impl PatientStream {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, waiting: None, lingering: None }
    }

    fn wait(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            return written;
        }
        let patience = self.patience;
        let timer = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wait(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wait(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Called once everything that was to be written is.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting = None;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let lingering = if let Some(lingering) = &mut this.lingering {
            lingering
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.lingering.insert(Lingering { until: Box::pin(sleep(LINGER)), left: LINGER_BYTES })
        };
        let mut bytes = [0; 4096];
        loop {
            let mut discarded = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut this.stream).poll_read(cx, &mut discarded);
            let came = discarded.filled().len();
            match read {
                Poll::Ready(Ok(())) if came > 0 && came <= lingering.left => lingering.left -= came,
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return lingering.until.as_mut().poll(cx).map(Ok),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_total_and_by_address_and_given_back() {
        let connections = Arc::new(Connections::new(3, 2));
        let from = |address: &str| connections.admit(address.parse().unwrap());
        let a = from("192.0.2.1").unwrap();
        let _b = from("::ffff:192.0.2.1").unwrap();
        assert!(from("192.0.2.1").is_none(), "mapped and plain IPv4 are one address");
        let _c = from("2001:db8::1").unwrap();
        assert!(from("203.0.113.9").is_none(), "the total is reached");
        drop(a);
        assert!(from("2001:db8::ffff").is_some());
    }

    #[test]
    fn a_slash_64_is_one_address() {
        let connections = Arc::new(Connections::new(9, 1));
        let _a = connections.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert!(connections.admit("2001:db8::2".parse().unwrap()).is_none());
        assert!(connections.admit("2001:db8:0:1::2".parse().unwrap()).is_some());
        assert_eq!(connections.open.lock().unwrap().by_address.len(), 1, "what is given back leaves nothing");
    }
}
