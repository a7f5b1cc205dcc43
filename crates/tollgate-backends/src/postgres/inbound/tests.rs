//! Messages in any pieces, and lengths that none has.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::{Bounded, Break, Framing, Inbound, MESSAGE_MIN, OWN_MAX, Passed, TooLong};

fn message(kind: u8, body: usize) -> Vec<u8> {
    let length = u32::try_from(body + 4).unwrap();
    let head = [[kind].as_slice(), &length.to_be_bytes()].concat();
    // Bodies that look like headers of long messages.
    head.into_iter().chain([b'D', 0xff, 0xff, 0xff, 0xff].into_iter().cycle().take(body)).collect()
}

/// A stream of given pieces.
struct Pieces(std::vec::IntoIter<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if let Some(piece) = self.0.next() {
            buf.put_slice(&piece);
        }
        Poll::Ready(Ok(()))
    }
}

/// What of the bytes is read when they come cut at these places, and whether an error ended it.
fn read(bytes: &[u8], cuts: &[usize], inbound: &Arc<Inbound>) -> (Vec<u8>, bool) {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % bytes.len()).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let pieces: Vec<_> = cuts.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect();
    let mut stream = Bounded::new(Pieces(pieces.into_iter()), Arc::clone(inbound));
    let mut read = Vec::with_capacity(bytes.len() + 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = runtime.block_on(async {
        loop {
            read.reserve(bytes.len());
            match stream.read_buf(&mut read).await {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooLong>),
            }
        }
    });
    (read, ended)
}

proptest! {
    #[test]
    fn whatever_pieces_messages_come_in_they_end_where_they_end(
        bodies in prop::collection::vec(0_usize..300, 1..20),
        cuts in prop::collection::vec(any::<usize>(), 0..60),
    ) {
        let bytes: Vec<u8> = bodies.iter().flat_map(|body| message(b'D', *body)).collect();
        let inbound = Inbound::new();
        prop_assert_eq!(read(&bytes, &cuts, &inbound), (bytes, false));
        prop_assert!(inbound.passed().is_none());
    }

    #[test]
    fn a_long_one_ends_the_stream_behind_the_one_before_it(
        bodies in prop::collection::vec(0_usize..300, 0..20),
        cuts in prop::collection::vec(any::<usize>(), 0..60),
        more in 1_u32..u32::MAX - (MESSAGE_MIN as u32) - 4,
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let before: Vec<u8> = bodies.iter().flat_map(|body| message(b'D', *body)).collect();
        let length = (MESSAGE_MIN as u32 + 4 + more).to_be_bytes();
        let bytes = [before.as_slice(), b"D", &length, &tail].concat();
        let inbound = Inbound::new();
        inbound.expect_rows(7);
        let (read, ended) = read(&bytes, &cuts, &inbound);
        prop_assert!(ended && inbound.passed() == Some(Passed::Row));
        // Of its header what came in earlier pieces has been passed on; never all of it.
        prop_assert!(read.len() >= before.len() && read.len() < before.len() + 5 && bytes.starts_with(&read));
    }

    #[test]
    fn no_bytes_are_too_odd(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)) {
        let mut framing = Framing::default();
        for piece in pieces {
            if let Err(Break { at, .. }) = framing.follow(&piece, 100) {
                prop_assert!(at <= piece.len());
                break;
            }
        }
    }
}

#[test]
fn lengths_that_no_message_has_end_the_stream_too() {
    for length in [0_i32, 1, 3, -1, i32::MIN, i32::MAX] {
        let bytes = [message(b'Z', 1).as_slice(), b"D", &length.to_be_bytes()].concat();
        let whole = message(b'Z', 1).len();
        assert_eq!(Framing::default().follow(&bytes, 100), Err(Break { at: whole, kind: b'D' }), "{length}");
        let mut framing = Framing::default();
        let broken = bytes.iter().map(|byte| framing.follow(&[*byte], 100)).position(|followed| followed.is_err());
        assert_eq!(broken, Some(bytes.len() - 1), "{length}");
    }
    assert_eq!(Framing::default().follow(&message(b'S', 0), 0), Ok(()));
    assert_eq!(Framing::default().follow(&message(b'S', 100), 100), Ok(()));
    assert_eq!(Framing::default().follow(&message(b'S', 101), 100), Err(Break { at: 0, kind: b'S' }));
}

#[test]
fn the_bound_follows_what_is_asked() {
    let inbound = Inbound::new();
    let fits = |inbound: &Arc<Inbound>, body| !read(&message(b'D', body), &[], inbound).1;
    assert!(fits(&inbound, OWN_MAX));
    inbound.expect_rows(1 << 20);
    assert!(fits(&inbound, 4 << 20));
    inbound.expect_answers();
    assert!(fits(&inbound, OWN_MAX));
    inbound.expect_rows(1024);
    assert!(fits(&inbound, MESSAGE_MIN) && !fits(&inbound, MESSAGE_MIN + 1));
    // Nothing more is read on that connection.
    assert!(!fits(&inbound, 1));
}
