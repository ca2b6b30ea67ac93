//! The HTML of the pages. With `COUNTERSIGN_PAGE_PREVIEW=folder` the pages are written there, to be looked at.

use std::path::Path;

use super::samples::{self, ATTACK, FRIENDLY, HOSTILE};
use crate::http::pages::assets::{FAVICON_SVG, STYLE_CSS, style_version};
use crate::http::pages::{
    ClientCard, ConsentPage, ErrorKind, FormPostPage, Language, LoginNotice, LoginPage, SignUpMarks,
    SignUpNotice, WebMessagePage,
};

#[test]
fn every_page_tells_its_language_and_has_one_heading_and_one_main_part() {
    for page in samples::all() {
        assert!(page.html.starts_with("<!doctype html>"), "{}", page.name);
        assert!(page.html.contains(&format!("<html lang=\"{}\">", page.lang.tag())), "{}", page.name);
        assert_eq!(page.html.matches("<h1>").count(), 1, "{}", page.name);
        assert_eq!(page.html.matches("<main ").count(), 1, "{}", page.name);
        assert!(page.html.contains("name=\"viewport\" content=\"width=device-width, initial-scale=1\""));
    }
}

#[test]
fn no_page_needs_what_the_content_security_policy_forbids() {
    for page in samples::all() {
        let script = script_of(&page.name);
        assert_eq!(page.html.matches("<script").count(), usize::from(script.is_some()), "{}", page.name);
        if let Some(script) = script {
            // Word by word what the policy names by its hash.
            assert!(page.html.contains(&format!(">{script}</script>")), "{}", page.html);
        }
        assert!(!page.html.contains("<style"), "{}", page.name);
        assert!(
            !attributes(&page.html).any(|name| name == "style" || name.starts_with("on")),
            "{}",
            page.name
        );
        assert!(!page.html.contains("http-equiv") && !page.html.contains("<iframe"), "{}", page.name);
    }
    // The only address in the stylesheet is the name of SVG's namespace, which nothing loads.
    assert_eq!(STYLE_CSS.matches("http:").count(), STYLE_CSS.matches("xmlns='http:").count());
    assert!(!STYLE_CSS.contains("@import") && !STYLE_CSS.contains("https:"));
    assert!(!FAVICON_SVG.contains("<script") && !FAVICON_SVG.contains("style"));
}

/// The one script of a page that has one.
fn script_of(name: &str) -> Option<&'static str> {
    [("form-post", FormPostPage::SCRIPT), ("web-message", WebMessagePage::SCRIPT)]
        .into_iter()
        .find_map(|(part, script)| name.contains(part).then_some(script))
}

/// The words of an answer are a stranger's (`state`), and stand beside a script that the policy lets run.
#[test]
fn the_words_of_an_answer_are_values_and_nothing_else() {
    let html = samples::web_message(Language::English, HOSTILE);
    let tag = tag(&html, "data-message=");
    assert_eq!(tag.matches('"').count(), 4, "{tag}");
    assert!(tag.starts_with("<script data-origin=\"") && !tag[1..].contains(['<', '\'']), "{tag}");
    let html = samples::form_post(Language::English, HOSTILE);
    assert_eq!(html.matches("<input ").count(), 2, "{html}");
    assert_eq!(html.matches("<form ").count(), 1, "{html}");
}

/// Markup in a client's name, a user name, a hint or a scope's description is shown, never obeyed: an open registration
/// or a login_hint would otherwise put a form of its own on the login page.
#[test]
fn markup_in_any_field_is_shown_as_text() {
    for page in samples::all().iter().filter(|page| page.name.ends_with("hostile")) {
        assert!(!page.html.contains(ATTACK), "{}", page.name);
        assert!(!page.html.contains("<b "), "{}", page.name);
        assert!(page.html.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{}", page.name);
        let quotes = page.html.matches("'\"").count() + page.html.matches("\"\"").count();
        let empty = page.html.matches("=\"\"").count();
        assert_eq!(quotes, empty, "{}: a quote of the attack is not escaped", page.name);
    }
}

#[test]
fn markup_in_the_base_path_is_shown_as_text() {
    let words = samples::Words { base: ATTACK, ..FRIENDLY };
    for html in
        [samples::login(Language::English, words, None), samples::consent(Language::English, words, true)]
    {
        assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
    }
}

/// U+202E turns what follows around: a client named "elpmaxe.evil\u{202e}" must not rearrange the sentence.
#[test]
fn direction_overrides_cannot_turn_a_sentence_around() {
    let words = samples::Words { client: "Evil\u{202e}\u{2066}\u{0}\n App", ..FRIENDLY };
    let html = samples::consent(Language::English, words, false);
    assert!(html.contains("<h1>Allow Evil App access?</h1>"), "{html}");
}

#[test]
fn the_login_form_works_with_a_password_manager() {
    let html = samples::login(Language::English, FRIENDLY, None);
    assert!(html.contains("<form method=\"post\" action=\"/login\">"));
    let username = tag(&html, "id=\"username\"");
    for part in [
        "name=\"username\"",
        "autocomplete=\"username\"",
        "autocapitalize=\"none\"",
        "spellcheck=\"false\"",
        "maxlength=\"256\"",
        " required",
        " autofocus",
    ] {
        assert!(username.contains(part), "{part}: {username}");
    }
    let password = tag(&html, "id=\"password\"");
    for part in [
        "type=\"password\"",
        "name=\"password\"",
        "autocomplete=\"current-password\"",
        "maxlength=\"1024\"",
        " required",
    ] {
        assert!(password.contains(part), "{part}: {password}");
    }
    assert!(html.contains("<label for=\"username\">") && html.contains("<label for=\"password\">"));
    assert!(!html.contains("role=\"alert\"") && !html.contains("aria-invalid"));
}

#[test]
fn the_sign_up_form_works_with_a_password_manager_and_a_screen_reader() {
    let html = samples::sign_up(Language::English, FRIENDLY, None, SignUpMarks::default());
    for (field, parts) in [
        ("username", &["autocomplete=\"username\"", "maxlength=\"256\"", " required", " autofocus"][..]),
        (
            "password",
            &["type=\"password\"", "autocomplete=\"new-password\"", "maxlength=\"1024\"", " required"],
        ),
        ("password-again", &["type=\"password\"", "autocomplete=\"new-password\"", "maxlength=\"1024\""]),
        ("display-name", &["autocomplete=\"name\"", "maxlength=\"200\""]),
        ("email", &["type=\"email\"", "autocomplete=\"email\"", "maxlength=\"254\""]),
    ] {
        let tag = tag(&html, &format!("id=\"{field}\""));
        assert!(parts.iter().all(|part| tag.contains(part)), "{tag}");
        assert!(html.contains(&format!("<label for=\"{field}\">")), "{field}");
    }
    assert!(!html.contains("role=\"alert\"") && !html.contains("aria-invalid"));
    // Each fault stands beside its field, which points to it; what was typed is there, but for the password.
    let fields = Some(SignUpNotice::Fields);
    let html = samples::sign_up(Language::English, FRIENDLY, fields, samples::ALL_MARKS);
    for field in ["username", "password", "display-name", "email"] {
        let tag = tag(&html, &format!("id=\"{field}\""));
        assert!(tag.contains("aria-invalid=\"true\"") && tag.contains(&format!("{field}-wrong")), "{tag}");
        assert!(html.contains(&format!("<p class=\"wrong\" id=\"{field}-wrong\">")), "{html}");
    }
    assert_eq!(html.matches(" autofocus").count(), 1);
    assert!(tag(&html, "id=\"username\"").contains("value=\"amira.holm\""));
    assert!(!tag(&html, "id=\"password\"").contains("value="));
}

#[test]
fn every_form_carries_its_request_and_its_csrf_token() {
    let words = samples::Words { sealed: "SEALED", base: "/auth", ..FRIENDLY };
    let lang = Language::German;
    let pages = [
        ("/auth/login", samples::login(lang, words, None)),
        ("/auth/consent", samples::consent(lang, words, true)),
        ("/auth/logout", samples::logout(lang, words)),
        ("/auth/choose-account", samples::choose(lang, words)),
        ("/auth/sign-up", samples::sign_up(lang, words, None, SignUpMarks::default())),
    ];
    for (action, html) in pages {
        assert!(html.contains(&format!("<form method=\"post\" action=\"{action}\">")), "{html}");
        assert!(tag(&html, "name=\"request\"").contains("type=\"hidden\" name=\"request\" value=\"SEALED\""));
        assert!(tag(&html, "name=\"csrf\"").contains("type=\"hidden\" name=\"csrf\" value=\"SEALED\""));
        assert!(html.contains("href=\"/auth/assets/favicon.svg\""));
    }
}

#[test]
fn a_refused_login_is_announced_and_tied_to_both_fields() {
    let html = samples::login(Language::English, FRIENDLY, Some(LoginNotice::Refused));
    assert!(html.contains("id=\"notice\" role=\"alert\">User name or password is wrong."));
    for field in ["id=\"username\"", "id=\"password\""] {
        let field = tag(&html, field);
        assert!(
            field.contains("aria-describedby=\"notice\"") && field.contains("aria-invalid=\"true\""),
            "{field}"
        );
    }
    // The name is kept, so that only the password is to be typed again.
    assert!(tag(&html, "id=\"username\"").contains("value=\"amira.holm\""));
    assert!(tag(&html, "id=\"password\"").contains(" autofocus"));
}

#[test]
fn a_notice_that_is_no_fault_of_the_fields_does_not_mark_them() {
    for notice in [
        LoginNotice::Throttled { wait_s: 5 },
        LoginNotice::Unavailable,
        LoginNotice::Reauthenticate,
        LoginNotice::Expired,
    ] {
        let html = samples::login(Language::English, FRIENDLY, Some(notice));
        assert!(html.contains("role=\"alert\"") && !html.contains("aria-invalid"), "{notice:?}");
    }
}

#[test]
fn a_wait_is_told_in_seconds_then_in_minutes_rounded_up() {
    let expected = [
        (0, "wait one second and", "warten Sie eine Sekunde und"),
        (30, "wait 30 seconds and", "warten Sie 30 Sekunden und"),
        (100, "wait 2 minutes and", "warten Sie 2 Minuten und"),
        (3599, "wait 60 minutes and", "warten Sie 60 Minuten und"),
    ];
    for (wait_s, english, german) in expected {
        let notice = Some(LoginNotice::Throttled { wait_s });
        assert!(samples::login(Language::English, FRIENDLY, notice).contains(english), "{english}");
        assert!(samples::login(Language::German, FRIENDLY, notice).contains(german), "{german}");
    }
}

#[test]
fn a_login_without_an_application_names_none() {
    let page = LoginPage {
        lang: Language::English,
        base: "",
        service: "Countersign",
        client_name: None,
        card: ClientCard::default(),
        request: "",
        csrf: "",
        username: "",
        notice: None,
        remember: false,
        choose: false,
        sign_up: false,
    };
    let html = page.render();
    assert!(!html.contains("You are signing in to") && !html.contains("The application"), "{html}");
}

#[test]
fn consent_names_client_user_destination_and_every_permission() {
    let html = samples::consent(Language::English, FRIENDLY, true);
    for part in [
        "Allow Acme Photos access?",
        "<bdi>photos.acme.example</bdi>",
        "<bdi>amira.holm</bdi>",
        "See your e-mail address",
        FRIENDLY.scope,
        "Keep these permissions while you are away",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for decision in ["allow", "deny", "switch"] {
        assert!(
            html.contains(&format!("type=\"submit\" name=\"decision\" value=\"{decision}\"")),
            "{decision}"
        );
    }
    assert_eq!(
        html.matches("<li>").count() + html.matches("<li ").count(),
        6,
        "three of the account, two of the resource, one for staying"
    );
}

#[test]
fn consent_to_nothing_says_so() {
    let page = ConsentPage {
        lang: Language::English,
        base: "",
        service: "Countersign",
        client_name: "Acme",
        card: ClientCard::default(),
        client_host: "acme.example",
        username: "amira",
        request: "",
        csrf: "",
        groups: Vec::new(),
        remembered: false,
        offline: false,
    };
    let html = page.render();
    assert!(
        html.contains("Acme asks only to know that you are signed in.") && !html.contains("<ul>"),
        "{html}"
    );
    let again = "you will not be asked for the same permissions again";
    assert!(!html.contains(again), "{html}");
    assert!(ConsentPage { remembered: true, ..page }.render().contains(again));
}

#[test]
fn logout_can_be_declined() {
    let html = samples::logout(Language::English, FRIENDLY);
    for decision in ["logout", "stay"] {
        assert!(html.contains(&format!("name=\"decision\" value=\"{decision}\"")), "{decision}");
    }
}

#[test]
fn an_error_tells_the_person_what_to_do_and_the_developer_what_happened() {
    let html = samples::error(Language::German, FRIENDLY, ErrorKind::OtherBrowser);
    for part in [
        "Diese Seite gehört zu einem anderen Browser",
        "localhost und 127.0.0.1",
        "<details open>",
        "<code><bdi>invalid_request</bdi></code>",
        "<dd lang=\"en\">",
        "code_challenge is missing",
        "01JD8Z6Q4W9M5T",
        "<dd>400</dd>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn the_stylesheet_is_named_with_its_version() {
    assert_eq!(style_version().len(), 12);
    let html = samples::login(Language::English, FRIENDLY, None);
    assert!(html.contains(&format!("href=\"/assets/style.css?v={}\"", style_version())));
}

#[test]
fn the_pages_can_be_looked_at_without_the_server() {
    let pages = samples::all();
    assert!(pages.iter().any(|page| page.name == "de-consent-long"));
    assert!(!samples::consent(Language::English, HOSTILE, true).is_empty());
    let Some(folder) = std::env::var_os("COUNTERSIGN_PAGE_PREVIEW") else {
        return;
    };
    let folder = Path::new(&folder);
    let assets = folder.join("assets");
    std::fs::create_dir_all(&assets).unwrap();
    std::fs::write(assets.join("style.css"), STYLE_CSS).unwrap();
    std::fs::write(assets.join("favicon.svg"), FAVICON_SVG).unwrap();
    for page in pages {
        // Beside the page instead of at a server's root, so that a file:// address works.
        let version = format!("style.css?v={}", style_version());
        let html = page
            .html
            .replace("/auth/assets/", "assets/")
            .replace("\"/assets/", "\"assets/")
            .replace(&version, "style.css");
        std::fs::write(folder.join(format!("{}.html", page.name)), html).unwrap();
    }
}

/// The one tag that contains a text.
fn tag<'a>(html: &'a str, part: &str) -> &'a str {
    let at = html.find(part).unwrap_or_else(|| panic!("{part} is not there: {html}"));
    let start = html[..at].rfind('<').unwrap();
    &html[start..=at + html[at..].find('>').unwrap()]
}

/// The names of all attributes. Enough for HTML in which every `<`, `>` and quote of a value is escaped.
fn attributes(html: &str) -> impl Iterator<Item = &str> {
    html.split('<')
        .filter_map(|rest| rest.split('>').next())
        .flat_map(|tag| tag.split('"').step_by(2))
        .flat_map(|outside| outside.split_ascii_whitespace())
        .filter_map(|word| word.strip_suffix('='))
}
