//! The page that shows the OpenAPI document: it works on a machine that reaches no other.

use crate::site::Site;

/// The values of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    page.split(attribute).skip(1).filter_map(|rest| rest.strip_prefix("=\"")?.split('"').next()).collect()
}

async fn text(site: &Site, path: &str) -> String {
    let answer = site.get(path).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    // What the page loads may only be ours: browsers hold it to that.
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("http"), "{path}: {policy}");
    answer.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_refers_to_nothing_outside() {
    let site = Site::new().await;
    let page = text(&site, "/docs/").await;
    let mut named = values(&page, "href");
    named.extend(values(&page, "src"));
    assert!(named.len() >= 5, "{page}");
    let mut scripts = String::new();
    for name in named {
        let name = name.strip_prefix("./").unwrap_or(name);
        assert!(!name.contains(':') && !name.starts_with('/'), "{name}");
        let answer = site.get(&format!("/docs/{name}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{name}");
        if name.ends_with(".css") {
            let style = answer.text().await.expect("text");
            for from in style.split("url(").skip(1).chain(style.split("@import").skip(1)) {
                assert!(from.trim_start_matches(['"', '\'', ' ']).starts_with("data:"), "{name}: {}", &from[..40]);
            }
        } else if name.ends_with("initializer.js") {
            scripts.push_str(&answer.text().await.expect("text"));
        }
    }
    assert!(scripts.contains("\"/openapi.json\""), "{scripts}");
    assert!(!scripts.contains("http:") && !scripts.contains("https:"), "{scripts}");
    assert!(scripts.contains("\"validatorUrl\": \"none\""), "no other server is asked to judge it: {scripts}");
    site.end().await;
}
