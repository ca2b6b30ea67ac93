//! The little HTML there is. Whatever comes from outside goes through `escape`.

use serde_json::Value;

use crate::session::SignedIn;

const STYLE: &str = ":root{color-scheme:light dark}body{margin:0 auto;max-width:40rem;padding:2rem 1rem;\
    font:100%/1.5 system-ui,sans-serif;overflow-wrap:anywhere}pre{padding:.75rem;border:1px solid #8888;border-radius:.5rem;\
    white-space:pre-wrap}button{font:inherit;padding:.5rem 1rem}[role=alert]{border-left:4px solid #c33;padding-left:1rem}";

/// The value of `style-src` that lets exactly the style above in.
pub(crate) fn style_hash() -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    format!("'sha256-{}'", base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(STYLE)))
}

pub(crate) fn home(signed_in: Option<&SignedIn>) -> String {
    let Some(SignedIn { claims, person, .. }) = signed_in else {
        return page(
            "Demo web app",
            r#"<p>Nobody is signed in.</p><p><a id="sign-in" href="/login">Sign in</a></p>"#,
        );
    };
    let name = ["name", "preferred_username", "sub"].iter().find_map(|name| person[*name].as_str());
    page(
        "Demo web app",
        &format!(
            r#"<p>Signed in as <strong id="user">{}</strong>.</p>
<p><a href="/notes">Notes</a></p>
<form method="post" action="/logout"><button id="sign-out">Sign out</button></form>
<h2>The ID token</h2><pre id="claims">{}</pre>
<h2>Userinfo</h2><pre id="person">{}</pre>"#,
            escape(name.unwrap_or_default()),
            escape(&format!("{claims:#}")),
            escape(&format!("{person:#}"))
        ),
    )
}

pub(crate) fn notes(answer: &Value) -> String {
    let answer = escape(&format!("{answer:#}"));
    page(
        "Notes",
        &format!(r#"<p>The API says:</p><pre id="notes">{answer}</pre><p><a href="/">Back</a></p>"#),
    )
}

pub(crate) fn trouble(text: &str) -> String {
    let text = escape(text);
    page(
        "That did not work",
        &format!(
            r#"<p role="alert" id="error">{text}</p><p><a href="/login">Sign in</a> or <a href="/">go back</a></p>"#
        ),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"#
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::{notes, trouble};
    use serde_json::json;

    #[test]
    fn what_comes_from_outside_stays_text() {
        assert!(!trouble("<script>").contains("<script>"));
        assert!(!notes(&json!({"text": "</pre><script>"})).contains("<script>"));
    }
}
