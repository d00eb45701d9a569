//! The SQS facade over real sockets: both protocols, refusals in AWS's words, limits, and who comes in.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::site::{Site, body};

/// A request in AWS JSON, as a client sends it.
fn ask(site: &Site, operation: &str, parameters: &Value) -> RequestBuilder {
    raw(site, operation, parameters.to_string())
}

fn raw(site: &Site, operation: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let request = site.post("/sqs/", body).header("x-amz-target", format!("AmazonSQS.{operation}"));
    replace_type(request, "application/x-amz-json-1.0")
}

fn replace_type(request: RequestBuilder, content_type: &str) -> RequestBuilder {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("content-type", content_type.parse().expect("a type"));
    request.headers(headers)
}

async fn done(site: &Site, operation: &str, parameters: &Value) -> Value {
    let answer = ask(site, operation, parameters).send().await.expect("an answer");
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/x-amz-json-1.0");
    assert_eq!(answer.headers()["x-amzn-requestid"].len(), 36);
    let text = answer.text().await.expect("text");
    assert_eq!(status, 200, "{operation} {parameters}: {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
}

/// The status, the name and the older code of a refusal.
async fn refusal(answer: Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    let older = answer.headers()["x-amzn-query-error"].to_str().expect("text").to_owned();
    let refused = body(answer).await;
    assert!(refused["message"].as_str().is_some_and(|message| !message.is_empty()), "{refused}");
    let kind = refused["__type"].as_str().expect("a name");
    (status, kind.split_once('#').expect("a shape").1.to_owned(), older)
}

async fn refused(site: &Site, operation: &str, parameters: &Value) -> (u16, String, String) {
    refusal(ask(site, operation, parameters).send().await.expect("an answer")).await
}

fn words(status: u16, kind: &str, older: &str) -> (u16, String, String) {
    (status, kind.to_owned(), older.to_owned())
}

async fn form(site: &Site, path: &str, form: &str) -> (u16, String) {
    let request = replace_type(site.post(path, form), "application/x-www-form-urlencoded");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/xml");
    (answer.status().as_u16(), answer.text().await.expect("XML"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_through_in_both_protocols() {
    let site = Site::idle().await;
    let attributes = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let made = done(&site, "CreateQueue", &json!({"QueueName": "q.fifo", "Attributes": attributes})).await;
    let url = format!("http://{}/sqs/123456789012/q.fifo", site.host());
    assert_eq!(made, json!({ "QueueUrl": url }));
    let message = json!({"QueueUrl": url, "MessageBody": "hello", "MessageGroupId": "g"});
    let sent = done(&site, "SendMessage", &message).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent["SequenceNumber"].as_str().map(str::len), Some(20));
    // A form is about the queue whose URL it is sent to.
    let (status, xml) = form(&site, "/sqs/123456789012/q.fifo", "Action=ReceiveMessage&AttributeName.1=All").await;
    assert_eq!(status, 200, "{xml}");
    for part in [
        "<ReceiveMessageResult><Message>",
        "<Body>hello</Body>",
        "<Attribute><Name>MessageGroupId</Name><Value>g</Value>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    let handle = xml.split("<ReceiptHandle>").nth(1).and_then(|rest| rest.split('<').next()).expect("a handle");
    let deleted = done(&site, "DeleteMessage", &json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    assert_eq!(deleted, Value::Null, "nothing is said");
    assert_eq!(done(&site, "ReceiveMessage", &json!({ "QueueUrl": url })).await, json!({}));
    let get = site.get("/sqs/?Action=ListQueues&QueueNamePrefix=q").send().await.expect("an answer");
    assert!(get.text().await.expect("XML").contains(&format!("<QueueUrl>{url}</QueueUrl>")));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_names_codes_and_statuses_of_aws() {
    let site = Site::idle().await;
    let url = done(&site, "CreateQueue", &json!({"QueueName": "q"})).await["QueueUrl"].clone();
    let missing = words(400, "MissingRequiredParameterException", "MissingParameter;Sender");
    for operation in ["SendMessage", "ReceiveMessage", "DeleteQueue", "GetQueueUrl", "StartMessageMoveTask"] {
        assert_eq!(refused(&site, operation, &json!({})).await, missing, "{operation}");
    }
    let gone = words(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender");
    for queue in ["no-such", "http://x/999999999999/q", "http://x/q", "http://x/123456789012/"] {
        assert_eq!(refused(&site, "PurgeQueue", &json!({ "QueueUrl": queue })).await, gone, "{queue}");
    }
    let handle = json!({"QueueUrl": url, "ReceiptHandle": "x"});
    let invalid = words(404, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid;Sender");
    assert_eq!(refused(&site, "DeleteMessage", &handle).await, invalid);
    let eleven: Vec<Value> = (0..11).map(|n| json!({"Id": n.to_string(), "MessageBody": "x"})).collect();
    let many = words(400, "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest;Sender");
    assert_eq!(refused(&site, "SendMessageBatch", &json!({"QueueUrl": url, "Entries": eleven})).await, many);
    done(&site, "PurgeQueue", &json!({ "QueueUrl": url })).await;
    let soon = words(403, "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress;Sender");
    assert_eq!(refused(&site, "PurgeQueue", &json!({ "QueueUrl": url })).await, soon);
    let unknown = words(400, "UnknownOperationException", "InvalidAction;Sender");
    assert_eq!(refused(&site, "Nonsense", &json!({})).await, unknown);
    let unread = words(400, "SerializationException", "MalformedInput;Sender");
    for nonsense in ["{", "[]", r#"{"QueueUrl":1}"#, "{\"QueueUrl\":\"\u{0}\"}"] {
        let answer = raw(&site, "PurgeQueue", nonsense).send().await.expect("an answer");
        assert_eq!(refusal(answer).await, unread, "{nonsense}");
    }
    let (status, xml) = form(&site, "/sqs", "Action=GetQueueUrl&QueueName=no-such").await;
    assert_eq!(status, 400);
    let says = "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>\
                <Message>The specified queue does not exist for this wsdl version.</Message>";
    assert!(xml.contains(says), "{xml}");
    assert_eq!(form(&site, "/sqs", "Action=%zz").await.0, 400);
    assert_eq!(form(&site, "/sqs", "QueueName=x").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_may_be_large_and_nothing_else() {
    let site = Site::idle().await;
    let url = done(&site, "CreateQueue", &json!({"QueueName": "q"})).await["QueueUrl"].clone();
    let most = "m".repeat(1_048_576);
    let send =
        async |text: &str| ask(&site, "SendMessage", &json!({"QueueUrl": url, "MessageBody": text})).send().await;
    assert_eq!(send(&most).await.expect("an answer").status(), 200);
    let (status, kind, _) = refusal(send(&format!("{most}m")).await.expect("an answer")).await;
    assert_eq!((status, &*kind), (400, "InvalidParameterValueException"));
    // Every character escaped: six bytes for one.
    let escaped = format!(r#"{{"QueueUrl":{url},"MessageBody":"{}"}}"#, "\\u006d".repeat(1_048_576));
    assert_eq!(raw(&site, "SendMessage", escaped).send().await.expect("an answer").status(), 200);
    let padded = format!(r#"{{"QueueUrl":{url},"Other":"{}"}}"#, "x".repeat(300_000));
    let (status, kind, _) = refusal(raw(&site, "ReceiveMessage", padded).send().await.expect("an answer")).await;
    assert_eq!((status, &*kind), (413, "RequestEntityTooLargeException"));
    let half = &most[..600_000];
    let entries = json!([{"Id": "1", "MessageBody": half}, {"Id": "2", "MessageBody": half}]);
    let too_long = words(400, "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong;Sender");
    assert_eq!(refused(&site, "SendMessageBatch", &json!({"QueueUrl": url, "Entries": entries})).await, too_long);
}

async fn key(site: &Site, with: Option<&str>, asked: Value) -> Value {
    let request = site.post("/v1/keys", asked.to_string());
    let request = with.iter().fold(request, RequestBuilder::bearer_auth);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 201, "{asked}");
    body(answer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_server_lets_in_keys_with_the_scope_each_to_its_own_queues() {
    let site = Site::idle().await;
    let admin = key(&site, None, json!({"role": "admin", "account": "ops"})).await;
    let with = admin["key"].as_str();
    let shop = key(&site, with, json!({"role": "shop", "account": "acme"})).await;
    let other = key(&site, with, json!({"role": "shop", "account": "210987654321"})).await;
    let trader = key(&site, with, json!({"role": "trader", "account": "acme"})).await;
    for (made, shown) in [(&admin, true), (&shop, true), (&trader, false)] {
        let id = made["sqs"]["accessKeyId"].as_str().unwrap_or_default();
        assert_eq!((id.len() == 34 && id.starts_with("TW"), made["sqs"].is_object()), (shown, shown), "{made}");
    }
    let read = site.get(&format!("/v1/keys/{}", shop["id"].as_str().expect("an id"))).bearer_auth(with.expect("a key"));
    assert!(body(read.send().await.expect("an answer")).await.get("sqs").is_none(), "they are shown once");

    let by = async |key: &Value, operation: &str, parameters: &Value| {
        let request = ask(&site, operation, parameters).header("x-api-key", key["key"].as_str().expect("its text"));
        request.send().await.expect("an answer")
    };
    let nobody = words(403, "MissingAuthenticationTokenException", "MissingAuthenticationToken;Sender");
    assert_eq!(refused(&site, "ListQueues", &json!({})).await, nobody);
    let denied = words(403, "AccessDeniedException", "AccessDenied;Sender");
    assert_eq!(refusal(by(&trader, "ListQueues", &json!({})).await).await, denied);
    let (status, xml) = form(&site, "/sqs/", "Action=ListQueues").await;
    assert!(status == 403 && xml.contains("<Code>MissingAuthenticationToken</Code>"), "{xml}");

    let made = body(by(&shop, "CreateQueue", &json!({"QueueName": "q"})).await).await;
    let url = made["QueueUrl"].as_str().expect("a URL").to_owned();
    let digits = url.rsplit('/').nth(1).expect("an account");
    assert!(digits.len() == 12 && digits != "123456789012", "{url}");
    assert_eq!(by(&shop, "SendMessage", &json!({"QueueUrl": url, "MessageBody": "x"})).await.status(), 200);
    let gone = words(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender");
    for queue in [&*url, "q"] {
        assert_eq!(refusal(by(&other, "ReceiveMessage", &json!({ "QueueUrl": queue })).await).await, gone, "{queue}");
    }
    assert_eq!(body(by(&other, "ListQueues", &json!({})).await).await, json!({}));
    let made = body(by(&other, "CreateQueue", &json!({"QueueName": "q"})).await).await;
    assert_eq!(made["QueueUrl"], format!("http://{}/sqs/210987654321/q", site.host()));
    let signed = |id: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/20150830/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
        )
    };
    for (header, kind, status) in [
        ("AWS4-HMAC-SHA256 nonsense".to_owned(), "IncompleteSignatureException", 400),
        (signed("AKIDEXAMPLE"), "UnrecognizedClientException", 403),
        (signed(shop["sqs"]["accessKeyId"].as_str().expect("an id")), "InvalidSignatureException", 403),
    ] {
        let request = ask(&site, "ListQueues", &json!({})).header("authorization", header);
        let request = request.header("x-amz-date", "20150830T123600Z");
        let (found, said, _) = refusal(request.send().await.expect("an answer")).await;
        assert_eq!((found, &*said), (status, kind));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_queues_take_the_scopes_of_its_orders() {
    let site = Site::idle().await;
    let admin = key(&site, None, json!({"role": "admin", "account": "ops"})).await;
    let may = async |scopes: Value| {
        let asked = json!({"role": "shop", "account": "acme", "scopes": scopes});
        let key = key(&site, admin["key"].as_str(), asked).await;
        key["key"].as_str().expect("its text").to_owned()
    };
    let all = may(json!(["queues:use", "shop:read", "shop:write"])).await;
    let (alone, reads) = (may(json!(["queues:use"])).await, may(json!(["queues:use", "shop:read"])).await);
    let writes = may(json!(["queues:use", "shop:write"])).await;
    let by = async |key: &str, operation: &str, parameters: &Value| {
        let answer = ask(&site, operation, parameters).header("x-api-key", key).send().await.expect("an answer");
        let status = answer.status().as_u16();
        if status != 200 {
            assert_eq!(refusal(answer).await, words(403, "AccessDeniedException", "AccessDenied;Sender"));
        }
        status
    };
    let acme = domain::Owner::parse("acme").expect("a name");
    let fifo = |more: Value| {
        let mut attributes = json!({"FifoQueue": "true"});
        attributes.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        attributes
    };
    let make = |name: &str, more: Value| json!({"QueueName": name, "Attributes": fifo(more)});
    let send = |name: &str| json!({"QueueUrl": name, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"});
    let of = |name: &str| json!({ "QueueUrl": name });
    let arn = |name: &str| format!("arn:aws:sqs:us-east-1:{}:{name}", domain::queue::arn::digits(&acme));
    let dies = |name: &str| json!({"RedrivePolicy": json!({"deadLetterTargetArn": arn(name), "maxReceiveCount": 1}).to_string()});
    let (orders, events, dead) = ("shop-orders.fifo", "shop-events.fifo", "shop-orders-dead.fifo");
    for name in [orders, events, dead, "own.fifo"] {
        assert_eq!(by(&all, "CreateQueue", &make(name, json!({}))).await, 200);
    }
    // Which keys may: that of queues alone, that which reads, that which writes.
    for (operation, parameters, may) in [
        ("CreateQueue", make(orders, json!({})), [false, false, true]),
        ("CreateQueue", make(events, json!({})), [false, true, false]),
        ("SendMessage", send(orders), [false, false, true]),
        ("ReceiveMessage", of(orders), [false, false, false]),
        ("ReceiveMessage", of(events), [false, true, false]),
        ("ReceiveMessage", of(dead), [false, true, false]),
        // Letters that die there are sent there.
        ("SetQueueAttributes", json!({"QueueUrl": "own.fifo", "Attributes": dies(orders)}), [false, false, true]),
        ("CreateQueue", make("other.fifo", dies(orders)), [false, false, true]),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": arn("own.fifo"), "DestinationArn": arn(orders)}),
            [false, false, true],
        ),
        ("SendMessage", send("own.fifo"), [true, true, true]),
        ("ListQueues", json!({}), [true, true, true]),
    ] {
        for (key, may) in [&alone, &reads, &writes].into_iter().zip(may) {
            let answer = ask(&site, operation, &parameters).header("x-api-key", key).send().await.expect("an answer");
            let denied = answer.status() == 403;
            assert_eq!(denied, !may, "{operation} {parameters}: {}", answer.text().await.expect("text"));
        }
    }
    assert_eq!(by(&all, "SendMessage", &send(orders)).await, 200);
    assert_eq!(by(&all, "ReceiveMessage", &of(orders)).await, 200);
    assert_eq!(by(&alone, "ReceiveMessage", &of(orders)).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_anyone_is_let_in_a_signature_of_no_key_of_ours_counts_for_nothing() {
    let anonymous = vec![("sqs".to_owned(), domain::Owner::parse("legacy").expect("a name"))];
    let site = Site::with("paper?pace=instant", 0, api::Settings { anonymous, ..api::Settings::default() }).await;
    key(&site, None, json!({"role": "admin", "account": "ops"})).await;
    let signed =
        "AWS4-HMAC-SHA256 Credential=test/20150830/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00";
    let request = ask(&site, "CreateQueue", &json!({"QueueName": "q"})).header("authorization", signed);
    let made = body(request.send().await.expect("an answer")).await;
    assert!(made["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/q")), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reset_of_motos_tests_is_not_there_unless_it_is_wanted() {
    let site = Site::idle().await;
    done(&site, "CreateQueue", &json!({"QueueName": "q"})).await;
    assert_eq!(form(&site, "/sqs/moto-api/reset", "").await.0, 400);
    assert!(done(&site, "ListQueues", &json!({})).await["QueueUrls"].is_array());
    let site =
        Site::with("paper?pace=instant", 0, api::Settings { moto_reset: true, ..api::Settings::default() }).await;
    done(&site, "CreateQueue", &json!({"QueueName": "q"})).await;
    assert_eq!(site.post("/sqs/moto-api/reset", "").send().await.expect("an answer").status(), 200);
    assert_eq!(done(&site, "ListQueues", &json!({})).await, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_get_nothing_done_with_forms() {
    let site = Site::idle().await;
    let send = async |header: (&'static str, &'static str), shown: Option<&'static str>| {
        let request = site.get("/sqs/?Action=CreateQueue&QueueName=q").header(header.0, header.1);
        let request = shown.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("XML"))
    };
    for header in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let (status, xml) = send(header, None).await;
        assert_eq!(status, 403, "{header:?}");
        assert!(xml.contains("<Code>AccessDenied</Code>"), "{xml}");
    }
    assert_eq!(done(&site, "ListQueues", &json!({})).await, json!({}), "nothing was done");
    // Nobody shows these without having been asked by a browser, or without one.
    assert_eq!(send(("origin", "https://shop.example"), Some("k")).await.0, 200);
    assert_eq!(send(("sec-fetch-site", "none"), None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_uploads_let_others_know_that_there_is_no_room() {
    let site = Site::idle().await;
    let url = done(&site, "CreateQueue", &json!({"QueueName": "q"})).await["QueueUrl"].clone();
    let head = format!(
        "POST /sqs/ HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amz-target: AmazonSQS.SendMessage\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n\r\n",
        site.host()
    );
    let mut stalled = Vec::new();
    for _ in 0..16 {
        let mut stream = tokio::net::TcpStream::connect(site.host()).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("sent");
        // It says so once it reads the body: the room is taken.
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.expect("an answer");
        assert!(go_on.starts_with(b"HTTP/1.1 100 Continue"));
        stalled.push(stream);
    }
    let large = json!({"QueueUrl": url, "MessageBody": "x".repeat(200_000)});
    let busy = words(503, "ServiceUnavailableException", "ServiceUnavailable;Receiver");
    assert_eq!(refused(&site, "SendMessage", &large).await, busy);
    done(&site, "SendMessage", &json!({"QueueUrl": url, "MessageBody": "x"})).await;
    drop(stalled);
    done(&site, "SendMessage", &large).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_are_added_at_once_are_all_kept() {
    let site = Site::idle().await;
    let url = done(&site, "CreateQueue", &json!({"QueueName": "q"})).await["QueueUrl"].clone();
    let add = async |label: u8| {
        let asked = json!({"QueueUrl": url, "Label": label.to_string(), "AWSAccountIds": ["123456789012"],
            "Actions": ["SendMessage"]});
        done(&site, "AddPermission", &asked).await
    };
    tokio::join!(add(1), add(2), add(3), add(4));
    let shown = done(&site, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["Policy"]})).await;
    let policy: Value = serde_json::from_str(shown["Attributes"]["Policy"].as_str().expect("text")).expect("JSON");
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(4), "{policy}");
}
