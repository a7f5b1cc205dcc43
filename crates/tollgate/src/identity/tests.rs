use super::*;
use tollgate_core::names::Origin;

fn registration(name: &str, keys: &[&ApiKey], local: bool) -> Registration {
    Registration {
        name: name.parse().unwrap(),
        keys: keys.iter().map(|k| k.hash()).collect(),
        local,
        role: "support".parse().unwrap(),
        claims: tollgate_core::names::Claims::default(),
    }
}

#[test]
fn each_of_several_live_keys_proves_its_agent_and_nothing_else_does() {
    let (old, new, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let directory = Directory::new([registration("eu", &[&old, &new], false), registration("us", &[&other], false)]);
    for key in [&old, &new] {
        let principal = directory.by_bearer(Some(&key.to_string())).unwrap();
        assert_eq!(principal.agent().name().as_str(), "eu");
        assert_eq!(principal.agent().origin(), &Origin::Key);
    }
    assert_eq!(directory.by_bearer(None), Err(IdentityError::Missing));
    for wrong in ["", "tg_", "eu", &format!("{old} "), &old.to_string().to_lowercase(), &old.hash().to_string()] {
        assert_eq!(directory.by_bearer(Some(wrong)), Err(IdentityError::Unknown), "{wrong:?}");
    }
}

#[test]
fn a_named_agent_needs_its_own_key_or_local() {
    let (eu, us) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let directory = Directory::new([registration("eu", &[&eu], false), registration("us", &[&us], true)]);
    assert!(directory.by_name("eu", Some(&eu.to_string()), "me").is_ok());
    assert_eq!(directory.by_name("eu", Some(&us.to_string()), "me"), Err(IdentityError::Unknown));
    assert_eq!(directory.by_name("eu", None, "me"), Err(IdentityError::NotLocal("eu".parse().unwrap())));
    assert_eq!(directory.by_name("nobody", None, "me"), Err(IdentityError::UnknownAgent("nobody".into())));
    let local = directory.by_name("us", None, "me").unwrap();
    assert_eq!(local.agent().origin(), &Origin::Local { os_user: "me".into() });
    assert_eq!(directory.by_name("us", Some("tg_wrong"), "me"), Err(IdentityError::Unknown));
}

#[test]
fn a_key_hash_reads_back_and_malformed_ones_do_not() {
    let key = ApiKey::generate().unwrap();
    assert_eq!(key.hash().to_string().parse(), Ok(key.hash()));
    assert_eq!(key.to_string().len(), 46);
    assert_eq!(format!("{key:?}"), "ApiKey(…)");
    for bad in ["", "sha256:", "9f2c", &format!("sha256:{}", "g".repeat(64)), &format!("sha256:{}", "+1".repeat(32))] {
        assert_eq!(bad.parse::<KeyHash>(), Err(MalformedKeyHash), "{bad:?}");
    }
}
