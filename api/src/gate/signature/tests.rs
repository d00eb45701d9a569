//! Signatures against the values that AWS publishes, and what must not pass.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use domain::Timestamp;

use super::{Head, Signed, path, query};

/// The credentials of AWS's test suite of Signature Version 4.
const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request of the suite, and the signature that it has there.
struct Case {
    method: Method,
    uri: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

const SUITE: [Case; 8] = [
    // get-vanilla
    Case {
        method: Method::GET,
        uri: "/",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-vanilla-query-order-key-case
    Case {
        method: Method::GET,
        uri: "/?Param2=value2&Param1=value1",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    // get-header-value-trim
    Case {
        method: Method::GET,
        uri: "/",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        body: "",
        signed: "host;my-header1;my-header2;x-amz-date",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    // get-vanilla-query-unreserved
    Case {
        method: Method::GET,
        uri: "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    },
    // get-slashes
    Case {
        method: Method::GET,
        uri: "//example//",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    },
    // get-relative-relative
    Case {
        method: Method::GET,
        uri: "/example1/example2/../..",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // post-vanilla
    Case {
        method: Method::POST,
        uri: "/",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
    // post-x-www-form-urlencoded
    Case {
        method: Method::POST,
        uri: "/",
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: "Param1=value1",
        signed: "content-type;host;x-amz-date",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    },
];

fn headers(more: &[(&'static str, &'static str)], signed: &str, signature: &str) -> HeaderMap {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ID}/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
    );
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    headers.insert("authorization", HeaderValue::try_from(authorization).expect("a header"));
    for (name, value) in more {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn fits(headers: &HeaderMap, method: &Method, uri: &str, body: &str, secret: &str) -> bool {
    let uri: Uri = uri.parse().expect("a URI");
    let signed = Signed::of(headers).flatten().expect("a signature");
    signed.fits(secret, Head { method, uri: &uri, headers }, body.as_bytes())
}

#[test]
fn the_published_signatures_fit_and_no_others() {
    for Case { method, uri, headers: more, body, signed, signature } in SUITE {
        let good = headers(more, signed, signature);
        assert!(fits(&good, &method, uri, body, SECRET), "{method} {uri}");
        assert!(!fits(&good, &method, uri, body, "another"), "{method} {uri}: another secret");
        assert!(!fits(&good, &method, uri, "changed", SECRET), "{method} {uri}: another body");
        assert!(!fits(&good, &method, &format!("{uri}x"), body, SECRET), "{method} {uri}: another place");
        assert!(!fits(&good, &Method::PUT, uri, body, SECRET), "{method} {uri}: another method");
        let mut other = good.clone();
        other.insert("host", HeaderValue::from_static("example.com"));
        assert!(!fits(&other, &method, uri, body, SECRET), "{method} {uri}: another host");
        let mut more = good.clone();
        more.insert("x-amz-target", HeaderValue::from_static("AmazonSQS.DeleteQueue"));
        assert!(!fits(&more, &method, uri, body, SECRET), "{method} {uri}: what to do was not signed");
        let mut more = good;
        more.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        assert!(!fits(&more, &method, uri, body, SECRET), "{method} {uri}: the body was not signed");
    }
}

#[test]
fn a_signature_is_good_for_a_quarter_of_an_hour_and_on_its_day() {
    let at = |text: &str| Timestamp::parse(text).expect("an instant");
    let good = headers(&[], "host;x-amz-date", "00");
    let signed = Signed::of(&good).flatten().expect("a signature");
    for (now, fresh) in [
        ("2015-08-30T12:36:00Z", true),
        ("2015-08-30T12:21:00Z", true),
        ("2015-08-30T12:51:00Z", true),
        ("2015-08-30T12:20:59Z", false),
        ("2015-08-30T12:51:01Z", false),
        ("2016-08-30T12:36:00Z", false),
    ] {
        assert_eq!(signed.is_fresh(&good, at(now)), fresh, "{now}");
    }
    for date in
        ["20150831T123600Z", "20150830T1236000", "20150830 123600Z", "2015-08-30T12:36Z", "", "20151330T123600Z"]
    {
        let mut other = good.clone();
        other.insert("x-amz-date", HeaderValue::try_from(date).expect("a header"));
        assert!(!signed.is_fresh(&other, at("2015-08-30T12:36:00Z")), "{date}");
    }
}

#[test]
fn what_is_no_signature_is_none() {
    let of = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::try_from(text).expect("a header"));
        Signed::of(&headers).map(|signed| signed.is_some())
    };
    let scope = "Credential=A/20150830/r/sqs/aws4_request";
    assert_eq!(of(&format!("AWS4-HMAC-SHA256 {scope},SignedHeaders=host,Signature=00")), Some(true));
    assert_eq!(of("Bearer tw_live"), None);
    for bad in [
        "",
        scope,
        "Credential=A/20150830/r/sqs, SignedHeaders=host, Signature=00",
        "Credential=A/20150830/r/sqs/aws4_request/more, SignedHeaders=host, Signature=00",
        &format!("{scope}, SignedHeaders=host"),
        &format!("{scope}, SignedHeaders=host, Signature=00, Signature=01"),
        &format!("{scope}, SignedHeaders=host, Signature=00, Other=1"),
    ] {
        assert_eq!(of(&format!("AWS4-HMAC-SHA256 {bad}")), Some(false), "{bad}");
    }
    let good = headers(&[], "host;x-amz-date", "zz");
    assert!(!fits(&good, &Method::GET, "/", "", SECRET), "no hexadecimal");
    let unordered = headers(&[], "x-amz-date;host", SUITE[0].signature);
    assert!(!fits(&unordered, &Method::GET, "/", "", SECRET));
}

#[test]
fn paths_and_queries_have_one_form() {
    for (raw, canonical) in [
        ("/", "/"),
        ("/sqs/123456789012/orders.fifo", "/sqs/123456789012/orders.fifo"),
        ("/sqs/", "/sqs/"),
        ("//a///b/./c/../d//", "/a/b/d/"),
        ("/../..", "/"),
        ("/a%20b", "/a%2520b"),
    ] {
        assert_eq!(path(raw), canonical, "{raw}");
    }
    for (raw, canonical) in
        [("", ""), ("b=2&a=1&a=0", "a=0&a=1&b=2"), ("a", "a="), ("a=b+c%2f&z=%7E%", "a=b%20c%2F&z=~%25")]
    {
        assert_eq!(query(raw), canonical, "{raw}");
    }
}
