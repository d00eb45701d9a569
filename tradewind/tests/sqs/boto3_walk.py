"""Walks through the life of SQS queues with boto3, as any client of AWS would, and fails at the first thing that is not as AWS
documents it.

    boto3_walk.py ENDPOINT [KEY_ID SECRET [CODE]]

With a CODE it only sees that it is refused with that. Works unchanged with a boto3 that speaks AWS JSON and with one that
speaks the Query protocol.
"""

import hashlib
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RUN = str(time.time_ns())
checks = 0


def check(what, found, expected):
    global checks
    checks += 1
    if found != expected:
        sys.exit(f"boto3_walk: {what}: {found!r}, expected {expected!r}")


def refused(what, code, call, **parameters):
    global checks
    checks += 1
    try:
        answer = call(**parameters)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        if found != code:
            sys.exit(f"boto3_walk: {what}: refused with {found}, expected {code}: {error}")
        return error.response["Error"]["Message"]
    sys.exit(f"boto3_walk: {what}: expected {code}, got {answer}")


def client(endpoint, key="anyone", secret="anything", region="us-east-1"):
    config = Config(retries={"max_attempts": 1}, read_timeout=60)
    return boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )


def bodies(answer):
    return [message["Body"] for message in answer.get("Messages", [])]


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, url, **more):
    return sqs.receive_message(**{"QueueUrl": url, "MaxNumberOfMessages": 10, **more})


def sends(sqs, url, group, *texts):
    for text in texts:
        sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group)


def delete_all(sqs, url, answer):
    entries = [
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(answer["Messages"])
    ]
    done = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    check("deleted", (len(done["Successful"]), done.get("Failed", [])), (len(entries), []))


def queues(sqs):
    """Queues are made, found, described, tagged."""
    name = f"life-{RUN}.fifo"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "20"}
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags={"team": "shop"})["QueueUrl"]
    check("the URL's end", url.split("/")[-1], name)
    check("made again", sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], url)
    refused("made otherwise", "QueueAlreadyExists", sqs.create_queue, QueueName=name, Attributes={**attributes, "DelaySeconds": "5"})
    check("found", sqs.get_queue_url(QueueName=name)["QueueUrl"], url)
    check("listed", sqs.list_queues(QueueNamePrefix=f"life-{RUN}")["QueueUrls"], [url])
    check("nothing listed", "QueueUrls" in sqs.list_queues(QueueNamePrefix="no-such-"), False)
    refused("no such queue", "AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="no-such-queue")
    elsewhere = url.replace(url.split("/")[-2], "999999999999")
    refused("another account's", "AWS.SimpleQueueService.NonExistentQueue", sqs.purge_queue, QueueUrl=elsewhere)
    for bad in ("", "a b", "q" * 81, "x.fifo"):
        refused(f"the name {bad!r}", "InvalidParameterValue", sqs.create_queue, QueueName=bad)
    for bad in ({"VisibilityTimeout": "43201"}, {"DelaySeconds": "-1"}, {"MaximumMessageSize": "1023"}, {"MessageRetentionPeriod": "x"}):
        refused(f"{bad}", "InvalidAttributeValue", sqs.create_queue, QueueName=f"bad-{RUN}", Attributes=bad)
    refused("no such attribute", "InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=url, Attributes={"Colour": "red"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    expected = {
        "VisibilityTimeout": "20",
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "ApproximateNumberOfMessages": "0",
    }
    check("attributes", {name: shown.get(name) for name in expected}, expected)
    check("the ARN", shown["QueueArn"], f"arn:aws:sqs:us-east-1:{url.split('/')[-2]}:{name}")
    refused("no such attribute", "InvalidAttributeName", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    check("the changed attribute", shown, {"VisibilityTimeout": "30"})
    sqs.tag_queue(QueueUrl=url, Tags={"stage": "test", "empty": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    check("tags", sqs.list_queue_tags(QueueUrl=url)["Tags"], {"stage": "test", "empty": ""})
    account = url.split("/")[-2]
    sqs.add_permission(QueueUrl=url, Label="other", AWSAccountIds=[account], Actions=["SendMessage"])
    check("a policy", '"other"' in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"], True)
    sqs.remove_permission(QueueUrl=url, Label="other")
    sqs.delete_queue(QueueUrl=url)
    refused("a deleted queue", "AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName=name)
    refused("made too soon", "AWS.SimpleQueueService.QueueDeletedRecently", sqs.create_queue, QueueName=name, Attributes=attributes)
    pages, token = [], None
    made = [sqs.create_queue(QueueName=f"page-{RUN}-{n}")["QueueUrl"] for n in range(5)]
    while True:
        more = {"NextToken": token} if token else {}
        page = sqs.list_queues(QueueNamePrefix=f"page-{RUN}", MaxResults=2, **more)
        pages.append(len(page["QueueUrls"]))
        token = page.get("NextToken")
        if not token:
            break
    check("pages", sum(pages), 5)
    for url in made:
        sqs.delete_queue(QueueUrl=url)


def sending(sqs):
    """What is sent comes back, with the MD5 that boto3 compares; what AWS refuses is refused."""
    url = sqs.create_queue(QueueName=f"send-{RUN}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="Käse €🧀\r\n\t<&>",
        MessageGroupId="g",
        MessageDeduplicationId="d",
        MessageAttributes={
            "Text": {"DataType": "String", "StringValue": "ä"},
            "Number": {"DataType": "Number.int", "StringValue": "42"},
            "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988"}},
    )
    check("MD5", sent["MD5OfMessageBody"], hashlib.md5("Käse €🧀\r\n\t<&>".encode()).hexdigest())
    check("other MD5", ("MD5OfMessageAttributes" in sent, "MD5OfMessageSystemAttributes" in sent), (True, True))
    check("the sequence number", (len(sent["SequenceNumber"]), sent["SequenceNumber"].isdigit()), (20, True))
    again = sqs.send_message(QueueUrl=url, MessageBody="other", MessageGroupId="other", MessageDeduplicationId="d")
    check("a duplicate", again["MessageId"], sent["MessageId"])
    [message] = receive(sqs, url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]
    check("the body", message["Body"], "Käse €🧀\r\n\t<&>")
    check("the id", message["MessageId"], sent["MessageId"])
    check("bytes", message["MessageAttributes"]["Bytes"], {"DataType": "Binary", "BinaryValue": b"\x00\xff"})
    check("MD5 of attributes", message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
    given = message["Attributes"]
    expected = {
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
        "ApproximateReceiveCount": "1",
        "SequenceNumber": sent["SequenceNumber"],
        "AWSTraceHeader": "Root=1-5759e988",
    }
    check("attributes", {name: given.get(name) for name in expected}, expected)
    check("the sender and times", {"SenderId", "SentTimestamp", "ApproximateFirstReceiveTimestamp"} <= set(given), True)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    again = sqs.send_message(QueueUrl=url, MessageBody="other", MessageGroupId="g", MessageDeduplicationId="d")
    check("a duplicate of a deleted one", (again["MessageId"], bodies(receive(sqs, url))), (sent["MessageId"], []))

    send = sqs.send_message
    good = {"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "x"}
    without = lambda name: {key: value for key, value in good.items() if key != name}
    refused("no group", "MissingParameter", send, **without("MessageGroupId"))
    refused("no id of duplicates", "InvalidParameterValue", send, **without("MessageDeduplicationId"))
    for bad in ("a b", "ü", "g" * 129):
        refused(f"the group {bad!r}", "InvalidParameterValue", send, **{**good, "MessageGroupId": bad})
        refused(f"the id {bad!r}", "InvalidParameterValue", send, **{**good, "MessageDeduplicationId": bad})
    refused("no body", "MissingParameter", send, **{**good, "MessageBody": ""})
    refused("a control character", "InvalidMessageContents", send, **{**good, "MessageBody": "a\x01b"})
    refused("a delay", "InvalidParameterValue", send, **{**good, "DelaySeconds": 1})
    sqs.send_message(**{**good, "MessageBody": "m" * 1_048_576, "MessageDeduplicationId": "large"})
    refused("a byte more", "InvalidParameterValue", send, **{**good, "MessageBody": "m" * 1_048_577})
    for bad in ({"a b": "String"}, {"AWS.x": "String"}, {"x": "Float"}):
        [(name, kind)] = bad.items()
        value = {name: {"DataType": kind, "StringValue": "1"}}
        refused(f"the attribute {bad}", "InvalidParameterValue", send, **{**good, "MessageAttributes": value})
    [large] = receive(sqs, url)["Messages"]
    check("the large one", len(large["Body"]), 1_048_576)

    batch = sqs.send_message_batch
    entry = lambda id, **more: {"Id": id, "MessageBody": f"b{id}", "MessageGroupId": "b", "MessageDeduplicationId": f"b{id}", **more}
    prefix = "AWS.SimpleQueueService."
    refused("no entry", f"{prefix}EmptyBatchRequest", batch, QueueUrl=url, Entries=[])
    refused("eleven entries", f"{prefix}TooManyEntriesInBatchRequest", batch, QueueUrl=url, Entries=[entry(str(n)) for n in range(11)])
    refused("one id twice", f"{prefix}BatchEntryIdsNotDistinct", batch, QueueUrl=url, Entries=[entry("1"), entry("1")])
    refused("a wrong id", f"{prefix}InvalidBatchEntryId", batch, QueueUrl=url, Entries=[entry("a.b")])
    half = "h" * 600_000
    refused("too long", f"{prefix}BatchRequestTooLong", batch, QueueUrl=url, Entries=[entry("1", MessageBody=half), entry("2", MessageBody=half)])
    done = batch(QueueUrl=url, Entries=[entry("1"), entry("2", MessageBody="\x02"), entry("3", MessageGroupId="a b"), entry("4")])
    check("those sent", [one["Id"] for one in done["Successful"]], ["1", "4"])
    check("those refused", [(one["Id"], one["Code"], one["SenderFault"]) for one in done["Failed"]],
          [("2", "InvalidMessageContents", True), ("3", "InvalidParameterValue", True)])
    check("what came", bodies(receive(sqs, url)), ["b1", "b4"])
    sqs.delete_queue(QueueUrl=url)


def groups(sqs):
    """Order within groups, and groups that wait for what is in flight."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "30"}
    url = sqs.create_queue(QueueName=f"groups-{RUN}.fifo", Attributes=attributes)["QueueUrl"]
    sends(sqs, url, "a", "a1", "a2", "a3")
    sends(sqs, url, "b", "b1")
    sends(sqs, url, "a", "a1")
    first = receive(sqs, url, MaxNumberOfMessages=2)
    check("in order", bodies(first), ["a1", "a2"])
    second = receive(sqs, url)
    check("the other group", bodies(second), ["b1"])
    check("nothing more", bodies(receive(sqs, url)), [])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["Messages"][0]["ReceiptHandle"])
    check("still in flight", bodies(receive(sqs, url)), [])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["Messages"][1]["ReceiptHandle"])
    third = receive(sqs, url)
    check("the rest", bodies(third), ["a3"])
    # Given back, it comes again, and its old handle deletes nothing.
    handle = third["Messages"][0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    fourth = receive(sqs, url, AttributeNames=["ApproximateReceiveCount"])
    check("again", bodies(fourth), ["a3"])
    check("counted", fourth["Messages"][0]["Attributes"], {"ApproximateReceiveCount": "2"})
    delete_all(sqs, url, fourth)
    delete_all(sqs, url, second)
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    check("empty", [counts[name] for name in names], ["0", "0", "0"])

    # The same attempt gets the same messages, until one of them is settled.
    sends(sqs, url, "c", "c1", "c2")
    attempt = f"attempt-{RUN}"
    one = receive(sqs, url, ReceiveRequestAttemptId=attempt)
    two = receive(sqs, url, ReceiveRequestAttemptId=attempt)
    handles = lambda answer: [message["ReceiptHandle"] for message in answer["Messages"]]
    check("the same attempt", (bodies(two), handles(two)), (["c1", "c2"], handles(one)))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handles(two)[0])
    refused("an attempt whose message is gone", "InvalidParameterValue", receive, sqs=sqs, url=url, ReceiveRequestAttemptId=attempt)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handles(two)[1])

    # Handles that are none, or expired.
    sends(sqs, url, "d", "d1")
    [message] = receive(sqs, url, VisibilityTimeout=1)["Messages"]
    handle = message["ReceiptHandle"]
    change = lambda text: text[:9] + ("A" if text[9] != "A" else "B") + text[10:]
    refused("no handle", "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
    refused("a changed handle", "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle=change(handle))
    other = sqs.create_queue(QueueName=f"other-{RUN}.fifo", Attributes=attributes)["QueueUrl"]
    refused("another queue's handle", "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=other, ReceiptHandle=handle)
    refused("too long hidden", "InvalidParameterValue", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_201)
    time.sleep(1.5)
    says = refused("an expired handle", "InvalidParameterValue", sqs.delete_message, QueueUrl=url, ReceiptHandle=handle)
    check("why", says.endswith("Reason: The receipt handle has expired."), True)
    batch = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "x", "ReceiptHandle": "nonsense"}])
    check("per entry", [(one["Id"], one["Code"]) for one in batch["Failed"]], [("x", "ReceiptHandleIsInvalid")])
    again = receive(sqs, url)
    entry = {"Id": "1", "ReceiptHandle": handles(again)[0], "VisibilityTimeout": 0}
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry, {**entry, "Id": "2", "ReceiptHandle": "x"}])
    check("changed", ([one["Id"] for one in changed["Successful"]], [one["Id"] for one in changed["Failed"]]), (["1"], ["2"]))
    check("back", bodies(receive(sqs, url)), ["d1"])
    sqs.purge_queue(QueueUrl=url)
    check("purged", bodies(receive(sqs, url)), [])
    refused("purged again", "AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    sends(sqs, url, "d", "d1")
    check("duplicates are forgotten with a purge", bodies(receive(sqs, url)), ["d1"])
    for bad in ({"MaxNumberOfMessages": 11}, {"MaxNumberOfMessages": 0}, {"WaitTimeSeconds": 21}, {"VisibilityTimeout": -1}):
        refused(f"{bad}", "InvalidParameterValue", receive, sqs=sqs, url=url, **bad)
    sqs.delete_queue(QueueUrl=url)
    sqs.delete_queue(QueueUrl=other)


def dead_letters(sqs):
    """What is received too often goes to the dead-letter queue, and comes back by a move."""
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    dead = sqs.create_queue(QueueName=f"dead-{RUN}.fifo", Attributes=fifo)["QueueUrl"]
    policy = f'{{"deadLetterTargetArn":"{arn_of(sqs, dead)}","maxReceiveCount":"2"}}'
    url = sqs.create_queue(QueueName=f"work-{RUN}.fifo", Attributes={**fifo, "RedrivePolicy": policy})["QueueUrl"]
    check("sources", sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])
    sends(sqs, url, "g", "poison", "next")
    for _ in range(2):
        [message] = receive(sqs, url, MaxNumberOfMessages=1)["Messages"]
        check("the poisoned one", message["Body"], "poison")
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    rest = receive(sqs, url)
    check("the group goes on", bodies(rest), ["next"])
    delete_all(sqs, url, rest)
    [letter] = receive(sqs, dead, AttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    found = (letter["Body"], letter["MessageId"], letter["Attributes"]["DeadLetterQueueSourceArn"])
    check("the dead letter", found, ("poison", message["MessageId"], arn_of(sqs, url)))
    check("its id of duplicates", letter["Attributes"]["MessageDeduplicationId"], message["MessageId"])
    refused("no dead-letter queue", "ResourceNotFoundException", sqs.start_message_move_task, SourceArn=f"{arn_of(sqs, dead)}x")
    if hasattr(sqs, "start_message_move_task"):
        sqs.start_message_move_task(SourceArn=arn_of(sqs, dead))
        until = time.monotonic() + 60
        while True:
            [task] = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead))["Results"]
            if task["Status"] != "RUNNING":
                break
            if time.monotonic() > until:
                sys.exit(f"boto3_walk: the move does not end: {task}")
            time.sleep(0.1)
        check("the move", (task["Status"], task["ApproximateNumberOfMessagesMoved"]), ("COMPLETED", 1))
        back = receive(sqs, url, WaitTimeSeconds=10)
        delete_all(sqs, url, {"Messages": back.get("Messages", [])} if bodies(back) == ["poison"] else sys.exit(f"boto3_walk: {back}"))
    sqs.delete_queue(QueueUrl=url)
    sqs.delete_queue(QueueUrl=dead)


def standard(sqs):
    """A queue without order: delays, long polling, handles that outlive their time."""
    url = sqs.create_queue(QueueName=f"plain-{RUN}")["QueueUrl"]
    refused("an id of duplicates", "InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", MessageDeduplicationId="x")
    sent = sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=1)
    check("no sequence number", "SequenceNumber" in sent, False)
    sqs.send_message(QueueUrl=url, MessageBody="fair", MessageGroupId="tenant")
    check("not the late one", bodies(receive(sqs, url, VisibilityTimeout=600)), ["fair"])
    began = time.monotonic()
    late = receive(sqs, url, WaitTimeSeconds=20, VisibilityTimeout=1)
    check("long polling", (bodies(late), time.monotonic() - began < 15), (["late"], True))
    time.sleep(1.5)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=late["Messages"][0]["ReceiptHandle"])
    check("deleted late", bodies(receive(sqs, url)), [])
    refused("a long delay", "InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=901)
    sqs.delete_queue(QueueUrl=url)


def keys(endpoint, key, secret):
    """With keys in the journal only their signatures come in."""
    client(endpoint, key, secret).list_queues()
    client(endpoint, key, secret, region="eu-central-1").list_queues()
    refused("another secret", "SignatureDoesNotMatch", client(endpoint, key, secret[:-1] + "!").list_queues)
    refused("another's id", "InvalidClientTokenId", client(endpoint, "AKIAIOSFODNN7EXAMPLE", secret).list_queues)


def main(endpoint, *credentials):
    sqs = client(endpoint, *credentials[:2])
    if credentials[2:]:
        refused("a request", credentials[2], sqs.list_queues)
        return
    if credentials:
        keys(endpoint, *credentials)
    for part in (queues, sending, groups, dead_letters, standard):
        part(sqs)
    print(f"boto3 {boto3.__version__}: {checks} checks")


main(*sys.argv[1:])
