//! RFC 6750 §2.1: tokens travel in a header, and headers have an end. The operator is told which claims are to blame.

use std::io::Write;
use std::sync::{Arc, Mutex};

use countersign::base::Seconds;
use countersign::domain::Role;
use countersign::domain::resource_server::TokenFormat;
use countersign::flow::client_auth::Presented;
use countersign::flow::token::{self, FromPage, TokenRequest};
use countersign::oauth::Params;
use countersign::store;

use super::support::server::{CLIENTS, NOTES, PASSWORD, START, Setup, secret};
use super::support::{TestServer, change};

const ROLE: &str = "editor-of-the-notes-of-department-number";

/// A server whose user `alice` has `count` roles of 43 bytes.
fn with_roles(count: usize, clients: &str) -> TestServer {
    let server = TestServer::with(Setup { clients: clients.to_owned(), ..Setup::default() });
    let alice = server.user("alice").id;
    let give = move |conn: &mut store::Conn| {
        for number in 0..count {
            let name = format!("{ROLE}-{number:02}");
            let role =
                Role { name: name.clone(), description: String::new(), declared: false, created_at: START };
            store::roles::insert(conn, &role)?;
            store::roles::give(conn, alice, &name)?;
        }
        Ok(())
    };
    server.store().write("test roles", give).unwrap();
    server
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines about large tokens that one token for alice by `client` makes, and the token.
fn told(server: &TestServer, client: &str) -> (Vec<String>, String) {
    let form =
        [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD), ("scope", "notes:read")];
    let request = TokenRequest {
        params: Params::collect(form.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap(),
        presented: Presented::Basic {
            client_id: client.to_owned(),
            secret: secret(client).into(),
            verbatim: None,
        },
        peer: [127, 0, 0, 1].into(),
        page: FromPage::default(),
    };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let token = tracing::subscriber::with_default(subscriber, || {
        token::token(&server.app.refreshed_cx().unwrap(), &request).unwrap().access_token
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text.lines().filter(|line| line.contains("larger than")).map(str::to_owned).collect(), token)
}

#[test]
fn a_token_above_4_kb_names_the_claims_that_made_it_so_and_no_value() {
    let server = with_roles(100, CLIENTS);
    let (lines, token) = told(&server, "house");
    assert!(token.len() > 4096);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    // 100 roles of 43 bytes in quotes, 99 commas, two brackets.
    assert!(line.contains(&format!("largest_claims=\"roles (4601 bytes), jti (75 bytes), ")), "{line}");
    for word in [
        "WARN",
        "client=house",
        "audience=\"https://notes.example\"",
        &format!("token_bytes={}", token.len()),
    ] {
        assert!(line.contains(word), "{word}: {line}");
    }
    let jti = super::support::flow::claims(&token)["jti"].as_str().unwrap().to_owned();
    for value in [ROLE, &jti, &token[..20], "notes:read", "alice", &server.user("alice").id.to_string()] {
        assert!(!line.contains(value), "{value}: {line}");
    }
}

#[test]
fn the_same_client_and_resource_server_are_told_of_once_an_hour() {
    let mut clients = CLIENTS.to_owned();
    clients += "[[clients]]\nid = \"house2\"\nprofile = \"first-party\"\nredirect_uris = [\"https://app.example/cb\"]\n\
                scopes = [\"notes:read\"]\nresources = [\"https://notes.example\"]\nallow_password_grant = true\n\
                secret_hash = \"SECRET_HASH:house2\"\n";
    let server = with_roles(100, &clients);
    let mut counts = Vec::new();
    for (client, seconds) in
        [("house", 0), ("house", 0), ("house2", 0), ("house", 3599), ("house", 1), ("house", 0)]
    {
        server.clock.advance(Seconds(seconds));
        counts.push(told(&server, client).0.len());
    }
    assert_eq!(counts, [1, 0, 1, 0, 1, 0]);
}

#[test]
fn a_token_of_ordinary_size_is_not_told_of() {
    let server = with_roles(50, CLIENTS);
    let (lines, token) = told(&server, "house");
    assert!(lines.is_empty() && token.len() > 3000 && token.len() < 4096, "{} {lines:?}", token.len());
}

/// Encryption adds a header, a key and a third of the length; an opaque token is short whatever it stands for.
#[test]
fn what_is_sent_is_measured_not_what_is_said() {
    let server = with_roles(50, CLIENTS);
    let recipient = super::support::jwe::Recipient::new(super::support::jwe::Kind::Rsa);
    change::resource_server(&server, NOTES, |notes| {
        let wanted = countersign::flow::token_format::Wanted {
            format: Some("jwe".to_owned()),
            key: Some(recipient.public_pem()),
            ..Default::default()
        };
        notes.token_format = countersign::flow::token_format::changed(&notes.token_format, wanted).unwrap();
    });
    let (lines, token) = told(&server, "house");
    assert!(token.len() > 4096);
    assert!(lines.len() == 1 && lines[0].contains("roles (2301 bytes)"), "{lines:?}");

    let server = with_roles(100, CLIENTS);
    change::resource_server(&server, NOTES, |notes| notes.token_format = TokenFormat::Opaque);
    assert!(told(&server, "house").0.is_empty());
}
