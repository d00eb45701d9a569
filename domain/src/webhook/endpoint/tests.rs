//! Endpoints: what is refused, what events say, and that no secret is in any of them.

use super::*;
use crate::{Change, Expect};

const HOUR: i64 = 3_600 * 1_000_000;

fn wish() -> Create {
    Create {
        id: "e".into(),
        account: Owner::parse("acme").unwrap(),
        url: "https://example.com/hook".into(),
        patterns: vec![Pattern::All],
        description: None,
        format: Format::Standard,
        secret: "sealed-1".into(),
        rate_per_second: None,
        concurrency: 32,
        ordered: false,
    }
}

fn event(change: &Change) -> (&'static str, serde_json::Value) {
    let draft = change.entities[0].event.as_ref().unwrap();
    assert!(!draft.body.contains("sealed"), "{}", draft.body);
    (draft.type_, serde_json::from_str(&draft.body).unwrap())
}

#[test]
fn every_decision_tells_what_it_changed_and_no_secret() {
    let actor = Owner::parse("admin").unwrap();
    let made = create(wish(), Timestamp(1)).unwrap();
    assert_eq!(event(&made.change).0, "webhook.endpoint.created");
    assert_eq!(made.change.entities[0].expect, Expect::Absent);
    let url = Some("https://example.com/other".to_owned());
    let edited = edit(&made.endpoint, Edit { url, ..Edit::default() }, &actor, Timestamp(2)).unwrap();
    let (type_, said) = event(&edited.change);
    assert_eq!(
        (type_, said["changed"].to_string()),
        ("webhook.endpoint.updated", r#"{"url":"https://example.com/…"}"#.into())
    );
    assert_eq!(said["actor"], "admin");
    let off = disable(&edited.endpoint, Reason::Failing, &actor, Timestamp(3)).unwrap();
    let (type_, said) = event(&off.change);
    assert_eq!(
        (type_, &said["reason"], &said["status"]),
        ("webhook.endpoint.disabled", &"failing".into(), &"disabled".into())
    );
    assert_eq!(disable(&off.endpoint, Reason::Gone, &actor, Timestamp(4)).unwrap_err().code, "WRONG_STATE");
    let on = enable(&off.endpoint, &actor, Timestamp(4)).unwrap();
    assert_eq!((event(&on.change).0, on.endpoint.reason), ("webhook.endpoint.enabled", None));
    let gone = delete(&on.endpoint, &actor, Timestamp(5)).unwrap();
    assert_eq!(event(&gone.change).0, "webhook.endpoint.deleted");
    assert!(!gone.change.entities[0].body.contains("sealed"));
    assert_eq!(enable(&gone.endpoint, &actor, Timestamp(6)).unwrap_err().code, "WRONG_STATE");
}

#[test]
fn events_show_scheme_and_host_of_a_url_and_nothing_more() {
    let (actor, now) = (Owner::default(), Timestamp(1));
    for (url, shown) in [
        ("https://example.com/hook", "https://example.com/…"),
        ("https://example.com", "https://example.com/…"),
        ("http://example.com:8080/hook\"\\?token=hidden", "http://example.com:8080/…"),
        ("https://example.com?hidden", "https://example.com/…"),
        ("https://me:hidden@example.com\\hidden", "https://example.com/…"),
        ("https:///example.com/hidden", "https:///…"),
        ("https:example.com/hidden", "…"),
    ] {
        let description = Some(format!("\"url\":{url:?}").replace("hidden", "mine"));
        let made = create(Create { url: url.to_owned(), description, ..wish() }, now).unwrap();
        let edited = edit(&made.endpoint, Edit { url: Some(wish().url), ..Edit::default() }, &actor, now).unwrap();
        let (made_, edited_) = (event(&made.change).1, event(&edited.change).1);
        assert_eq!((&made_["url"], &made_["description"]), (&shown.into(), &made.endpoint.description.clone().into()));
        assert_eq!(edited_["url"], "https://example.com/…");
        if url != wish().url {
            assert_eq!(edited_["changed"]["url"], shown);
        }
        assert!(!format!("{made_}{edited_}").contains("hidden"), "{made_} {edited_}");
        assert!(made.endpoint.view_json().contains(&url_text(url)));
    }
}

fn url_text(url: &str) -> String {
    serde_json::Value::from(url).to_string()
}

#[test]
fn an_old_secret_signs_until_its_time_is_over() {
    let (actor, now) = (Owner::default(), Timestamp(0));
    let one = create(wish(), now).unwrap().endpoint;
    let two = rotate(&one, "sealed-2".into(), HOUR, &actor, now).unwrap().endpoint;
    let at = |endpoint: &Endpoint, at| endpoint.signing(Timestamp(at)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(at(&two, HOUR - 1), ["sealed-2", "sealed-1"]);
    assert_eq!(at(&two, HOUR), ["sealed-2"]);
    // The next rotation prolongs nothing, and forgets what is over.
    let three = rotate(&two, "sealed-3".into(), 5 * HOUR, &actor, Timestamp(HOUR / 2)).unwrap().endpoint;
    assert_eq!(at(&three, HOUR), ["sealed-3", "sealed-2"]);
    let four = rotate(&three, "sealed-4".into(), 0, &actor, Timestamp(HOUR)).unwrap().endpoint;
    assert_eq!(four.secrets.len(), 1);
    let mut many = one;
    for n in 0..4 {
        many = rotate(&many, format!("sealed+{n}"), HOUR, &actor, now).unwrap().endpoint;
    }
    assert_eq!(rotate(&many, "one more".into(), HOUR, &actor, now).unwrap_err().code, "TOO_MANY_SECRETS");
    assert_eq!(
        rotate(&many, "x".into(), 8 * 24 * HOUR, &actor, now).unwrap_err().pointer.as_deref(),
        Some("/overlapSeconds")
    );
}

#[test]
fn what_is_out_of_range_is_named() {
    for (pointer, wish) in [
        ("/url", Create { url: format!("https://example.com/{}", "x".repeat(2_048)), ..wish() }),
        ("/patterns", Create { patterns: Vec::new(), ..wish() }),
        ("/patterns", Create { patterns: vec![Pattern::All; 51], ..wish() }),
        ("/description", Create { description: Some("x".repeat(257)), ..wish() }),
        ("/concurrency", Create { concurrency: 0, ..wish() }),
        ("/concurrency", Create { concurrency: 33, ..wish() }),
        ("/ratePerSecond", Create { rate_per_second: Some(0), ..wish() }),
    ] {
        assert_eq!(create(wish, Timestamp(0)).unwrap_err().pointer.as_deref(), Some(pointer));
    }
}

#[test]
fn an_endpoint_reads_back_from_its_row() {
    let Choice { endpoint, change } =
        create(Create { rate_per_second: Some(5), ordered: true, ..wish() }, Timestamp(7)).unwrap();
    let write = &change.entities[0];
    let row = Entity {
        kind: write.kind,
        id: write.id.clone(),
        version: 1,
        status: write.status.into(),
        owner: write.owner.clone(),
        party: None,
        parent: None,
        body: write.body.clone(),
        created_seq: 1,
        created_at: Timestamp(7),
        updated_at: Timestamp(7),
    };
    assert_eq!(Endpoint::from_entity(&row).unwrap(), endpoint);
}
