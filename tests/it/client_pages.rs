//! What the login and consent pages tell of an application (OpenID Connect Dynamic Client Registration 1.0 §2), and of who
//! checked it.

use countersign::base::Seconds;
use serde_json::{Value, json};

use super::support::TestServer;
use super::support::change;
use super::support::flow::authorize_path;
use super::support::http::{Answer, Browser};
use super::support::registration::{initial_token, least_with, open, register_by, registered};
use super::support::server::PASSWORD;

const UNCHECKED: &str = "Nobody here has checked who is behind it";

fn shown() -> Value {
    least_with(json!({
        "client_name": "Acme <i>\"Photos\"</i>",
        "client_name#de-AT": "Acme Fotos",
        "logo_uri": "https://cdn.example/logo.png?a=1&b='2'",
        "client_uri": "https://app.example/about",
        "policy_uri": "https://app.example/policy",
        "policy_uri#de": "https://app.example/datenschutz",
        "tos_uri": "https://app.example/tos",
    }))
}

/// The login page, and the consent page behind it.
fn pages(server: &TestServer, client: &str, language: &str) -> [Answer; 2] {
    let mut browser: Browser = server.browser();
    browser.headers.push(("accept-language".to_owned(), language.to_owned()));
    let answer = browser.get(&authorize_path(client, &[("scope", "openid email")]));
    let login = browser.follow(answer);
    let consent = browser.log_in(&login, "alice", PASSWORD);
    assert!(consent.body.contains("value=\"allow\""), "{}", consent.body);
    [login, consent]
}

fn id(told: &Value) -> &str {
    told["client_id"].as_str().unwrap()
}

#[test]
fn links_and_logo_stand_on_both_pages_and_the_policy_lets_the_logo_in_and_nothing_else() {
    let server = open();
    let told = registered(&server, &shown());
    for page in pages(&server, id(&told), "en") {
        for uri in ["https://app.example/about", "https://app.example/policy", "https://app.example/tos"] {
            let link = format!("<a href=\"{uri}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
            assert!(page.body.contains(&link), "{uri}: {}", page.body);
        }
        let logo = "src=\"https://cdn.example/logo.png?a=1&#38;b=&#39;2&#39;\"";
        assert!(page.body.contains(logo), "{}", page.body);
        assert!(page.body.contains("alt=\"\" width=\"64\" height=\"64\" referrerpolicy=\"no-referrer\""));
        assert!(page.body.contains("Acme &#60;i&#62;&#34;Photos&#34;&#60;/i&#62;"), "{}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("img-src 'self' data: https://cdn.example;"), "{policy}");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    }
}

/// RFC 7591 §2.2: an application is shown in the language of the person, as far as it speaks that.
#[test]
fn an_application_is_shown_in_the_language_of_the_person() {
    let server = open();
    let told = registered(&server, &shown());
    for page in pages(&server, id(&told), "de") {
        assert!(page.body.contains("Acme Fotos") && !page.body.contains("Photos"), "{}", page.body);
        assert!(page.body.contains("https://app.example/datenschutz"), "{}", page.body);
        assert!(page.body.contains("https://app.example/tos"), "what has no translation is shown as it is");
    }
}

/// RFC 7591 §5: a name or a logo proves nothing. People are told where nobody but the client itself vouches for it.
#[test]
fn people_are_told_where_nobody_checked_an_application() {
    let server = open();
    let open = registered(&server, &shown());
    let (_, token) = initial_token(&server, None, Seconds(60));
    let vouched = register_by(&server, &token, &shown()).json();
    for (client, unchecked) in [(id(&open), true), (id(&vouched), false), ("web", false)] {
        for page in pages(&server, client, "en") {
            assert_eq!(page.body.contains(UNCHECKED), unchecked, "{client}");
        }
    }
}

#[test]
fn a_client_that_says_nothing_has_no_links_no_logo_and_the_policy_of_always() {
    let server = TestServer::start();
    for page in pages(&server, "web", "en") {
        assert!(!page.body.contains("<img") && !page.body.contains("target=\"_blank\""), "{}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("img-src 'self' data:; form-action"), "{policy}");
    }
}

/// What a logo's address can put into a header is an origin, whatever stands in the address.
#[test]
fn a_logo_cannot_widen_the_policy() {
    let server = open();
    for (uri, origin) in [
        ("https://cdn.example:8443/a;script-src%20*", "https://cdn.example:8443"),
        ("https://cdn.example/;default-src", "https://cdn.example"),
        ("https://xn--80ak6aa92e.example/l.png", "https://xn--80ak6aa92e.example"),
    ] {
        let told = registered(&server, &least_with(json!({ "logo_uri": uri })));
        let [login, _] = pages(&server, id(&told), "en");
        let policy = login.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("img-src 'self' data: {origin}; form-action")), "{policy}");
        assert_eq!(policy.matches("default-src").count(), 1);
    }
}

/// Clients of the operator's have the same members.
#[test]
fn a_client_of_the_operators_shows_its_links_too() {
    let server = TestServer::start();
    change::client(&server, "web", |draft| {
        draft.openid.tos_uri = Some("https://app.example/tos".to_owned());
    });
    for page in pages(&server, "web", "en") {
        assert!(page.body.contains("https://app.example/tos") && !page.body.contains(UNCHECKED));
    }
}
