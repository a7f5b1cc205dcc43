//! Calls on a healthy disk: what each way of ending leaves in the log, alone and in crowds.

use std::future;

use super::*;

#[tokio::test]
async fn a_call_stands_in_the_log_with_its_intent_and_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.sensitive = BTreeSet::from(["phone".to_owned()]);
    let ledger = Ledger::open_dir(config).unwrap();
    let caller = principal();
    let secrets = ["jane@example.com", "+49 170 1234567", "eyJhbGciOi", "unbound@example.com"];
    let (email, phone) = (Value::Text(secrets[0].to_owned()), Value::Text(secrets[1].to_owned()));
    let token = ClaimValue::List(vec![ClaimValue::Text(secrets[2].to_owned())]);
    let input = [
        Argument::new("email", &email, Sensitivity::Sensitive),
        Argument::new("phone", &phone, Sensitivity::Plain),
        Argument::new("id", &Value::Integer(42), Sensitivity::Plain),
    ];
    let claims = [Argument::claim("token", &token, Sensitivity::Sensitive)];
    let mut ticket = ledger.open(&head(&caller));
    ticket.intent(Intent { claims: &claims, ..intent(&input) }).await.unwrap();
    assert!(matches!(ticket.intent(intent(&[])).await, Err(LedgerError::SecondIntent)));
    ticket.close(Outcome::ok(3, 120)).await.unwrap();
    let refused = Outcome {
        arguments: Some(r#"{"email":"unbound@example.com"}"#),
        ..Outcome::failed(Status::NotExecuted, Code::INVALID_ARGUMENT)
    };
    ledger.open(&head(&caller)).close(refused).await.unwrap();
    ledger.reject(Some(&caller), &head(&caller).peer, Code::MALFORMED_REQUEST);
    ledger.reject(None, &head(&caller).peer, Code::UNAUTHENTICATED);
    let stats = ledger.stats();
    assert!(stats.records >= 5 && stats.batches >= 4 && stats.failures == 0 && stats.open == 0, "{stats:?}");
    ledger.shutdown().await.unwrap();

    let folder = dir.path().join("local-0");
    assert_eq!(kinds(&folder), "genesis boot intent outcome denied rejected aggregate shutdown");
    let text = fs::read_to_string(folder.join(folder::segment_file(0))).unwrap();
    assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    assert!(text.contains(r#""email":{"hash":"k1:"#) && text.contains(r#""id":42"#), "{text}");
}

#[tokio::test]
async fn a_ticket_that_is_dropped_still_says_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(dir.path()));
    let caller = principal();
    drop(ledger.open(&head(&caller)));

    let mut gone = ledger.open(&head(&caller));
    gone.intent(intent(&[])).await.unwrap();
    let gone_id = gone.call_id().to_owned();
    drop(gone);

    let mut panicked = ledger.open(&head(&caller));
    panicked.intent(intent(&[])).await.unwrap();
    let panicked_id = panicked.call_id().to_owned();
    let task = tokio::spawn(async move {
        let _ticket = panicked;
        panic!("in the call");
    });
    assert!(task.await.unwrap_err().is_panic());

    // The client leaves while the intent is on its way.
    let mut left = ledger.open(&head(&caller));
    let left_id = left.call_id().to_owned();
    {
        let sent = left.intent(intent(&[]));
        tokio::pin!(sent);
        let once = future::poll_fn(|context| std::task::Poll::Ready(sent.as_mut().poll(context).is_pending()));
        assert!(once.await, "a record was durable before its caller could ask again");
    }
    drop(left);
    ledger.shutdown().await.unwrap();

    let folder = dir.path().join("local-0");
    let expected = BTreeMap::from([
        (gone_id, Some(Status::Cancelled)),
        (panicked_id, Some(Status::Unknown)),
        (left_id, Some(Status::NotExecuted)),
    ]);
    assert_eq!(calls(&folder), expected);
    let Body::Denied(denied) = &records(&folder)[2].body else { panic!("{}", kinds(&folder)) };
    assert_eq!(denied.error_code, "TG503");
    assert!(matches!(ledger.shutdown().await, Err(LedgerError::Closed)));
    let (_, refused, _) = one_call(&ledger, &caller).await;
    assert_eq!(refused.unwrap_err().to_agent().code, Code::SHUTTING_DOWN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_shares_its_commits() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(dir.path()));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                let caller = principal();
                for _ in 0..20 {
                    let (_, began, ended) = one_call(&ledger, &caller).await;
                    began.and(ended).unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stats = ledger.stats();
    ledger.shutdown().await.unwrap();
    let calls = calls(&dir.path().join("local-0"));
    assert_eq!((calls.len(), count(&calls, Status::Ok)), (1280, 1280));
    assert!(stats.batches < stats.records / 4, "{stats:?}");
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _, clock) = scripted(config(dir.path()));
    let ledger = ledger.unwrap();
    let caller = principal();
    for _ in 0..50 {
        ledger.open(&head(&caller)).close(Outcome::failed(Status::NotExecuted, Code::UNKNOWN_TOOL)).await.unwrap();
        ledger.reject(Some(&caller), &head(&caller).peer, Code::MALFORMED_REQUEST);
    }
    for peer in 0..5000_u32 {
        let peer = Peer { address: Some(SocketAddr::from(((peer % 100).to_be_bytes(), 1))), ..Peer::default() };
        ledger.reject(None, &peer, Code::UNAUTHENTICATED);
    }
    clock.advance(Duration::from_secs(2));
    // The next second has room for its own.
    for _ in 0..3 {
        ledger.open(&head(&caller)).close(Outcome::failed(Status::NotExecuted, Code::UNKNOWN_TOOL)).await.unwrap();
    }
    ledger.shutdown().await.unwrap();
    let records = records(&dir.path().join("local-0"));
    assert!(records.len() < 35, "{} records", records.len());
    let (mut noted, mut counted) = (0, BTreeMap::new());
    for record in &records {
        match &record.body {
            Body::Denied(_) | Body::Rejected(_) => noted += 1,
            Body::Aggregate(aggregate) => {
                *counted.entry(aggregate.of).or_insert(0) += aggregate.count;
                assert!(aggregate.peers.len() <= 16);
                assert_eq!(aggregate.agent_id.is_none(), aggregate.of == AggregateOf::Unauthenticated);
            }
            _ => {}
        }
    }
    assert_eq!(counted.values().sum::<u64>() + noted, 50 + 50 + 5000 + 3, "{counted:?}");
    assert_eq!(counted[&AggregateOf::Unauthenticated], 5000);
}

#[tokio::test]
async fn hostile_text_is_cut_and_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    let caller = principal();
    let tool = format!("x\n{{\"v\":1,\"type\":\"outcome\"}}\u{1b}[2J{}", "é".repeat(1 << 20));
    let id = "9".repeat(1 << 20);
    let head = CallHead {
        tool: &tool,
        request_id: Some(&id),
        traceparent: Some(&id),
        peer: Peer { transport: "http", address: None, client: Some(&tool) },
        ..head(&caller)
    };
    ledger.open(&head).close(Outcome::failed(Status::NotExecuted, Code::UNKNOWN_TOOL)).await.unwrap();
    ledger.shutdown().await.unwrap();
    let folder = dir.path().join("local-0");
    assert_eq!(kinds(&folder), "genesis boot denied shutdown");
    assert!(fs::metadata(folder.join(folder::segment_file(0))).unwrap().len() < 4096);
}
