//! Walks through the life of a FIFO queue with AWS's own SDK, as any program of its users would.
//!
//!     sqs-walk ENDPOINT KEY_ID SECRET

use std::error::Error;

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use aws_sdk_sqs::{Client, Config};

type Done = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, key, secret] = &arguments[..] else { return Err("usage: sqs-walk ENDPOINT KEY_ID SECRET".into()) };
    let config = Config::builder()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .build();
    let client = Client::from_conf(config);
    let name = format!("rust-{}.fifo", std::process::id());
    let made = client
        .create_queue()
        .queue_name(&name)
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::ContentBasedDeduplication, "true")
        .tags("language", "rust")
        .send()
        .await?;
    let url = made.queue_url().ok_or("no URL")?.to_owned();
    let found = client.get_queue_url().queue_name(&name).send().await?;
    assert_eq!(found.queue_url(), Some(&*url));
    let listed = client.list_queues().queue_name_prefix("rust-").into_paginator().items().send().try_collect();
    assert!(listed.await?.contains(&url));
    let tags = client.list_queue_tags().queue_url(&url).send().await?;
    assert_eq!(tags.tags().and_then(|tags| tags.get("language")).map(String::as_str), Some("rust"));
    messages(&client, &url).await?;
    refusals(&client, &url).await?;
    client.delete_queue().queue_url(&url).send().await?;
    let gone = client.purge_queue().queue_url(&url).send().await.expect_err("it is gone").into_service_error();
    assert!(gone.is_queue_does_not_exist(), "{gone:?}");
    println!("aws-sdk-sqs: the walk is done");
    Ok(())
}

async fn messages(client: &Client, url: &str) -> Done {
    let bytes = MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([0, 255])).build()?;
    let sent = client
        .send_message()
        .queue_url(url)
        .message_group_id("g")
        .message_body("first")
        .message_attributes("bytes", bytes.clone())
        .send()
        .await?;
    assert!(sent.sequence_number().is_some() && sent.md5_of_message_attributes().is_some());
    let mut batch = client.send_message_batch().queue_url(url);
    for (id, body, group) in [("1", "second", "g"), ("2", "bad\u{1}", "g"), ("3", "third", "g")] {
        let entry =
            SendMessageBatchRequestEntry::builder().id(id).message_body(body).message_group_id(group).build()?;
        batch = batch.entries(entry);
    }
    let outcome = batch.send().await?;
    assert_eq!(outcome.successful().iter().map(|one| one.id()).collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(
        outcome.failed().iter().map(|one| (one.id(), one.code())).collect::<Vec<_>>(),
        [("2", "InvalidMessageContents")]
    );
    let received = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .wait_time_seconds(5)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await?;
    let bodies: Vec<_> = received.messages().iter().filter_map(|message| message.body()).collect();
    assert_eq!(bodies, ["first", "second", "third"]);
    let first = &received.messages()[0];
    assert_eq!(first.message_attributes().and_then(|all| all.get("bytes")), Some(&bytes));
    let group = first.attributes().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
    assert_eq!(group.map(String::as_str), Some("g"));
    let handle = first.receipt_handle().ok_or("no handle")?;
    client.change_message_visibility().queue_url(url).receipt_handle(handle).visibility_timeout(60).send().await?;
    let mut batch = client.delete_message_batch().queue_url(url);
    for (n, message) in received.messages().iter().enumerate() {
        let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
        batch = batch.entries(entry.receipt_handle(message.receipt_handle().ok_or("no handle")?).build()?);
    }
    let outcome = batch.send().await?;
    assert_eq!((outcome.successful().len(), outcome.failed().len()), (3, 0));
    Ok(())
}

async fn refusals(client: &Client, url: &str) -> Done {
    let refused = client.delete_message().queue_url(url).receipt_handle("nonsense").send().await;
    let refused = refused.expect_err("no handle").into_service_error();
    assert!(refused.is_receipt_handle_is_invalid(), "{refused:?}");
    let refused = client.send_message().queue_url(url).message_body("x").send().await.expect_err("no group");
    let code = refused.as_service_error().and_then(ProvideErrorMetadata::code);
    assert_eq!(code, Some("MissingParameter"));
    let refused = client.send_message_batch().queue_url(url).set_entries(Some(Vec::new())).send().await;
    let refused = refused.expect_err("no entry").into_service_error();
    assert!(refused.is_empty_batch_request(), "{refused:?}");
    let refused = client.get_queue_url().queue_name("no-such-queue").send().await.expect_err("no queue");
    assert!(refused.into_service_error().is_queue_does_not_exist());
    Ok(())
}
