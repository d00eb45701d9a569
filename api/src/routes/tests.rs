//! The routes against the document, who comes in where, and what the layer around them makes of handlers that fail.

mod authorisation;

use axum::http::StatusCode;
use domain::token::Registry;
use drivers::{cache, journal, venue, wake};
use engine::{Parts, clock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::server::{Limits, serve};

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let document: Value = serde_json::from_str(&openapi::openapi()).expect("JSON");
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        documented.extend(item.as_object().expect("methods").keys().map(|method| format!("{method} {path}")));
    }
    let mut served = vec!["get /health/live".to_owned()];
    for route in native() {
        served.extend(route.methods.iter().map(|(m, _)| format!("{} {}", m.as_str().to_lowercase(), route.path)));
    }
    documented.sort();
    served.sort();
    assert_eq!(documented, served);
}

async fn engine(folder: &tempfile::TempDir) -> Arc<Engine> {
    let (wake, tokens) = (wake::local(), Arc::new(Registry::default()));
    let options = journal::Options { wake: Arc::clone(&wake), lease_millis: 30_000, migrate: true };
    let url = format!("sqlite:{}/t.db", folder.path().display());
    Arc::new(Engine::start(Parts {
        journal: journal::open(&url, options).await.expect("a journal"),
        wake,
        cache: cache::open("memory").await.expect("a cache"),
        limit: None,
        venues: venue::open("paper?pace=instant", &tokens, clock::now()).expect("venues"),
        exports: Vec::new(),
        tokens,
        settings: engine::Settings { concurrency: [].into(), ..engine::Settings::default() },
    }))
}

async fn panics() -> StatusCode {
    panic!("on purpose")
}

#[tokio::test(flavor = "multi_thread")]
async fn panics_and_deadlines_are_answered_in_the_words_of_the_api_that_was_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let settings = Settings { request_deadline_millis: 200, ..Settings::default() };
    let app =
        App::new(Arc::clone(&engine), settings.clone(), FacadeName::ALL.map(|facade| facade.at(facade.mount())).into());
    let mut router = Router::new();
    for mount in FacadeName::ALL.map(FacadeName::mount).into_iter().chain([""]) {
        router = router.route(&format!("{mount}/panics"), get(panics));
        router = router.route(&format!("{mount}/waits"), get(std::future::pending::<StatusCode>));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(serve(listener, finish(router, app), settings.stop.clone(), Limits::default()));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (failed, late) = ("the server failed; the operator's log says why", "the request was not done in time");
    for (path, status, code, detail) in [("/panics", 500, "INTERNAL", failed), ("/waits", 503, "DEADLINE", late)] {
        let answer = client.get(format!("http://{address}{path}")).send().await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (status, &"application/problem+json".parse().expect("a value"))
        );
        assert!(answer.headers().contains_key("x-request-id"));
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!((&problem["code"], &problem["instance"]), (&json!(code), &json!(path)));

        for mount in [FacadeName::Deals, FacadeName::Dex].map(FacadeName::mount) {
            let answer = client.get(format!("http://{address}{mount}{path}")).send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers().get("retry-after").is_some(), status == 503);
            let word = if status == 500 { "Internal Server Error" } else { "Service Unavailable" };
            let failure: Value = answer.json().await.expect("JSON");
            assert_eq!(failure, json!({"statusCode": status, "error": word, "message": detail}));
        }
        let content = ["application/x-amz-json-1.0", "application/x-www-form-urlencoded"];
        let [json, xml] = content
            .map(|content| client.get(format!("http://{address}/sqs{path}")).header("content-type", content).send());
        let (json, xml) = (json.await.expect("an answer"), xml.await.expect("an answer"));
        assert_eq!((json.status().as_u16(), xml.status().as_u16()), (status, status));
        let code = if status == 500 { "InternalFailure" } else { "ServiceUnavailable" };
        assert_eq!(json.headers()["x-amzn-query-error"], format!("{code};Receiver").as_str());
        assert_eq!(json.json::<Value>().await.expect("JSON")["message"], json!(detail));
        assert!(xml.text().await.expect("XML").contains(&format!("<Code>{code}</Code><Message>{detail}</Message>")));
    }
    drop(client);
    settings.stop.cancel();
    server.await.expect("no panic").expect("no error");
    engine.stop(Duration::from_secs(5)).await;
}
