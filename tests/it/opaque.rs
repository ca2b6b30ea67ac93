//! Opaque access tokens (RFC 6749 §1.4): a name and a secret. What they stand for is stored with the grant that gave them.

use std::sync::Arc;

use countersign::base::entropy::{Entropy, EntropyError, OsEntropy};
use countersign::base::{HashedToken, PlainToken, Seconds, TokenKind};
use countersign::domain::OpaqueToken;
use countersign::domain::resource_server::TokenFormat;
use countersign::flow::client_auth::Presented;
use countersign::flow::recognise::{self, Dead, Form, Recognised};
use countersign::flow::token::{self, FromPage, TokenRequest};
use countersign::flow::token_format::{self, Wanted};
use countersign::oauth::Params;
use countersign::{app, store};
use serde_json::json;

use super::support::db::Database;
use super::support::flow::{changed, code, redemption};
use super::support::jwe::{Kind, Recipient};
use super::support::jwt::verified;
use super::support::raw::Raw;
use super::support::server::{CLIENTS, MAIL, NOTES, PASSWORD, START, Setup, secret};
use super::support::tokens::misspelt;
use super::support::{TestServer, change, on_each_database};

const EVERYTHING: &str = "openid notes:read offline_access";
const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("resource", NOTES)];

/// A server whose resource server `notes` takes opaque tokens.
fn on(database: &Database) -> TestServer {
    let clients = CLIENTS.replace("name = \"Notes\"\n", "name = \"Notes\"\ntoken_format = \"opaque\"\n");
    assert_ne!(clients, CLIENTS);
    TestServer::with(Setup { database: Some(database.url.clone()), clients, ..Setup::default() })
}

fn with_server(test: impl Fn(TestServer, Raw)) {
    on_each_database(|database| test(on(&database), Raw::open(&database.url)));
}

fn recognised(server: &TestServer, token: &str) -> Result<Recognised, Dead> {
    recognise::access_token(&server.app.refreshed_cx().unwrap(), token).unwrap()
}

fn dead(server: &TestServer, token: &str) -> &'static str {
    recognised(server, token).unwrap_err().0
}

fn machine(server: &TestServer) -> String {
    server.token("service", &MACHINE).text("access_token")
}

fn stored(server: &TestServer, token: &str) -> OpaqueToken {
    let id = PlainToken::parse(TokenKind::Access, token).unwrap().id().to_owned();
    server.store().read("test", |conn| store::opaque_tokens::find(conn, &id)).unwrap().unwrap()
}

fn count(raw: &mut Raw, table: &str) -> i64 {
    raw.number(&format!("SELECT count(*) AS n FROM {table}"))
}

/// What a JWT would say, the introspection of an opaque token will say.
#[test]
fn every_grant_gives_one_that_stands_for_what_a_jwt_would_say() {
    with_server(|server, mut raw| {
        let alice = server.user("alice").id.to_string();
        let by_code = server.token("web", &redemption(&code(&server, "web", &[("scope", EVERYTHING)])));
        let refresh = by_code.text("refresh_token");
        let by_refresh =
            server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())]);
        let form = [
            ("grant_type", "password"),
            ("username", "alice"),
            ("password", PASSWORD),
            ("scope", "notes:read"),
        ];
        let by_password = server.token("house", &form);
        let by_machine = server.token("service", &MACHINE);
        for (answer, client, subject, scope) in [
            (&by_code, "web", alice.as_str(), EVERYTHING),
            (&by_refresh, "web", &alice, EVERYTHING),
            (&by_password, "house", &alice, "notes:read"),
            (&by_machine, "service", "service", "notes:read notes:write"),
        ] {
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(
                (answer.text("token_type").as_str(), &answer.json()["expires_in"]),
                ("Bearer", &json!(300))
            );
            let token = answer.text("access_token");
            let found = recognised(&server, &token).unwrap();
            assert_eq!(found.form, Form::Opaque);
            assert_eq!(
                found.user.as_ref().map(|user| user.id.to_string()),
                (client != "service").then(|| alice.clone())
            );
            assert_eq!(found.authorization.is_some(), client != "service");
            let mut claims = serde_json::to_value(&found.claims).unwrap();
            let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
            let mut expected = json!({
                "iss": server.issuer, "sub": subject, "aud": NOTES, "exp": START.0 + 300, "iat": START.0,
                "client_id": client, "scope": scope,
            });
            if client != "service" {
                expected["auth_time"] = START.0.into();
                expected["acr"] = "urn:countersign:acr:password".into();
                expected["amr"] = json!(["pwd"]);
                assert!(jti.as_str().unwrap().starts_with(&found.authorization.unwrap().id.to_string()));
            }
            assert_eq!(claims, expected);
        }
        assert_eq!(count(&mut raw, "opaque_tokens"), 4);
        // The ID token is for the client, which verifies it by itself.
        verified(&server, &by_code.text("id_token"), "web");
        // Another resource server's tokens are what they were.
        let mail = [("grant_type", "client_credentials"), ("resource", MAIL)];
        verified(&server, &server.token("service2", &mail).text("access_token"), MAIL);
        assert_eq!(count(&mut raw, "opaque_tokens"), 4);
    });
}

#[test]
fn roles_stand_in_the_claims_where_the_resource_server_asks_for_them() {
    with_server(|server, _| {
        change::give_role(&server, "alice", "editor");
        let answer = server.token("web", &redemption(&code(&server, "web", &[])));
        assert_eq!(*recognised(&server, &answer.text("access_token")).unwrap().claims.roles, ["editor"]);
    });
}

#[test]
fn only_a_hash_of_it_is_in_the_database() {
    with_server(|server, mut raw| {
        let token = machine(&server);
        let row = stored(&server, &token);
        assert_eq!(row.hash, HashedToken::of(&token));
        let secret = token.split('_').nth(3).unwrap();
        assert_eq!(secret.len(), 43);
        for column in ["id", "hash", "client_id", "claims"] {
            let query = format!("SELECT count(*) AS n FROM opaque_tokens WHERE {column} LIKE '%{secret}%'");
            assert_eq!(raw.number(&query), 0, "{column}");
        }
    });
}

/// The id names a token in a log, so it may be known; nothing but the whole token counts.
#[test]
fn a_token_that_is_changed_in_any_part_is_dead() {
    with_server(|server, _| {
        let (token, other) = (machine(&server), machine(&server));
        let forged = |body: String| {
            // The checksum is no secret: whoever forges one makes it fit.
            let digest = countersign::base::encoding::sha256(body.as_bytes());
            let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
            let checksum: String =
                digest.iter().take(6).map(|byte| alphabet[usize::from(byte % 62)]).collect();
            format!("{body}{checksum}")
        };
        let body = |token: &str| token[..token.len() - 6].to_owned();
        assert_eq!(forged(body(&token)), token);

        let (id, other_id) = (token.split('_').nth(2).unwrap(), other.split('_').nth(2).unwrap());
        let swapped = forged(body(&token).replace(id, other_id));
        assert_eq!(dead(&server, &swapped), "its secret is not that of its id");
        let unknown = forged(body(&token).replace(id, "0123456789ab"));
        assert!(dead(&server, &unknown).starts_with("no opaque token has this id"));
        let wrong_checksum = misspelt(&token);
        for text in [
            wrong_checksum.as_str(),
            &token[..token.len() - 1],
            &format!("{token} "),
            &token.replace("csgn_at", "csgn_rt"),
            &token.to_uppercase(),
            "",
        ] {
            assert_eq!(
                dead(&server, text),
                "it is no access token that a published key of this server signed",
                "{text}"
            );
        }
        assert!(recognised(&server, &token).is_ok());
    });
}

#[test]
fn it_dies_in_the_second_in_which_it_expires_and_is_swept() {
    with_server(|server, mut raw| {
        let token = machine(&server);
        server.advance(299);
        assert!(recognised(&server, &token).is_ok());
        server.advance(1);
        assert_eq!(dead(&server, &token), "it has expired");
        let now = START + Seconds(300);
        let swept = |now| app::sweep(server.store(), now, 100, &mut |_| true).unwrap().rows;
        assert_eq!((swept(now - Seconds(1)), count(&mut raw, "opaque_tokens")), (0, 1));
        assert_eq!((swept(now), count(&mut raw, "opaque_tokens")), (1, 0));
    });
}

#[test]
fn it_is_revoked_by_itself_once_or_with_its_family() {
    with_server(|server, _| {
        let (one, other) = (machine(&server), machine(&server));
        let id = stored(&server, &one).id;
        let revoke = |id: String| {
            server.store().write("test", move |conn| store::opaque_tokens::revoke(conn, &id, START)).unwrap()
        };
        assert_eq!((revoke(id.clone()), revoke(id), revoke("0123456789ab".to_owned())), (true, false, false));
        assert_eq!(dead(&server, &one), "it was revoked");
        assert!(recognised(&server, &other).is_ok());

        // RFC 6749 §4.1.2: the replay of a code takes back what it gave.
        let code = code(&server, "web", &[]);
        let token = server.token("web", &redemption(&code)).text("access_token");
        assert!(recognised(&server, &token).is_ok());
        assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
        assert_eq!(dead(&server, &token), "its authorization was revoked");
    });
}

#[test]
fn it_dies_with_its_client_and_its_user() {
    with_server(|server, mut raw| {
        let machine = machine(&server);
        let user = server.token("web", &redemption(&code(&server, "web", &[]))).text("access_token");
        change::switch_off(&server, "service");
        assert_eq!(dead(&server, &machine), "its client is gone or switched off");
        change::lock(&server, "alice");
        assert_eq!(dead(&server, &user), "its user's account is locked");
        let id = "service".parse().unwrap();
        server.store().write("test", move |conn| store::clients::delete(conn, &id)).unwrap();
        assert_eq!(count(&mut raw, "opaque_tokens"), 1, "the row goes with its client");
    });
}

/// Tokens that are out stay what they are; new ones are of the new format.
#[test]
fn a_change_of_format_leaves_the_tokens_that_are_out_alive() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let jwt = machine(&server);
        change::resource_server(&server, NOTES, |notes| notes.token_format = TokenFormat::Opaque);
        let opaque = machine(&server);
        change::resource_server(&server, NOTES, |notes| notes.token_format = TokenFormat::Jwt);
        verified(&server, &machine(&server), NOTES);
        assert_eq!(recognised(&server, &jwt).unwrap().form, Form::Jwt, "{}", database.kind);
        assert_eq!(recognised(&server, &opaque).unwrap().form, Form::Opaque, "{}", database.kind);
    });
}

/// Randomness that repeats itself, so that the second token has the id of the first and cannot be stored.
struct Same;
impl Entropy for Same {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(7);
        Ok(())
    }
}

fn ask(
    server: &TestServer,
    entropy: Arc<dyn Entropy>,
    client: &str,
    form: &[(&str, &str)],
) -> Result<(), String> {
    let pairs = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let request = TokenRequest {
        params: Params::collect(pairs).unwrap(),
        presented: Presented::Basic {
            client_id: client.to_owned(),
            secret: secret(client).into(),
            verbatim: None,
        },
        peer: [127, 0, 0, 1].into(),
        page: FromPage::default(),
    };
    let mut cx = server.app.refreshed_cx().unwrap();
    cx.entropy = entropy;
    token::token(&cx, &request)
        .map(drop)
        .map_err(|error| format!("{} {}", error.code.as_str(), error.operator))
}

/// One transaction: what cannot be stored has cost neither the code nor the refresh token, and left no authorization.
#[test]
fn a_token_that_cannot_be_stored_uses_nothing_up() {
    with_server(|server, mut raw| {
        let code = code(&server, "web", &[("scope", EVERYTHING)]);
        assert_eq!(ask(&server, Arc::new(Same), "service", &MACHINE), Ok(()));
        let failed = |client: &str, form: &[(&str, &str)]| {
            let told = ask(&server, Arc::new(Same), client, form).unwrap_err();
            assert!(told.starts_with("server_error") && told.contains("exists already"), "{told}");
        };
        failed("service", &MACHINE);
        failed("web", &redemption(&code));
        assert_eq!(count(&mut raw, "refresh_tokens"), 0);
        let answer = server.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}", answer.body);

        let refresh = answer.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        failed("web", &form);
        assert_eq!(count(&mut raw, "refresh_tokens"), 1);
        assert_eq!(server.token("web", &form).status, 200);

        let form = [
            ("grant_type", "password"),
            ("username", "alice"),
            ("password", PASSWORD),
            ("scope", "notes:read"),
        ];
        let before = count(&mut raw, "authorizations");
        failed("house", &form);
        assert_eq!(count(&mut raw, "authorizations"), before);
        assert_eq!(ask(&server, Arc::new(OsEntropy), "house", &form), Ok(()));
        // The one that was first, and one for each that succeeded.
        assert_eq!(count(&mut raw, "opaque_tokens"), 4);
    });
}

#[test]
fn a_refused_request_stores_none() {
    with_server(|server, mut raw| {
        let code = code(&server, "web", &[]);
        for (name, value) in [
            ("code_verifier", "another-verifier-0123456789-0123456789-0123456789"),
            ("redirect_uri", "https://app.example/"),
        ] {
            let form = changed(&redemption(&code), name, value);
            assert_eq!(server.token("web", &form).error(), "invalid_grant");
        }
        assert_eq!(server.token("service", &[MACHINE[0], ("scope", "mail:send")]).error(), "invalid_scope");
        assert_eq!(count(&mut raw, "opaque_tokens"), 0);
    });
}

/// The memory of the node may be a second behind.
#[test]
fn a_client_that_was_deleted_a_moment_ago_is_unknown() {
    with_server(|server, _| {
        let id = "service".parse().unwrap();
        server.store().write("test", move |conn| store::clients::delete(conn, &id)).unwrap();
        // The clock stands still: nobody has looked since.
        let answer = server.token("service", &MACHINE);
        assert_eq!((answer.status, answer.error()), (401, "invalid_client".to_owned()));
    });
}

/// DESIGN §8: what touches the database or takes long is not done on a worker; what is quick and needs memory only is.
#[test]
fn a_client_is_answered_by_a_worker_where_all_its_resource_servers_allow_it() {
    let mailer = "[[clients]]\nid = \"mailer\"\nprofile = \"service\"\nscopes = [\"mail:send\"]\n\
                  resources = [\"https://mail.example/api\"]\nsecret_hash = \"SECRET_HASH:mailer\"\n";
    let server = TestServer::with(Setup { clients: format!("{CLIENTS}{mailer}"), ..Setup::default() });
    let is_light = |client: &str, grant: &str| {
        let cx = server.app.refreshed_cx().unwrap();
        [true, false].map(|by_header| {
            let (client, mut pairs) = (client.to_owned(), vec![("grant_type".to_owned(), grant.to_owned())]);
            let presented = if by_header {
                Presented::Basic { client_id: client, secret: String::new().into(), verbatim: None }
            } else {
                pairs.push(("client_id".to_owned(), client));
                Presented::Nothing
            };
            let params = Params::collect(pairs).unwrap();
            let request =
                TokenRequest { params, presented, peer: [127, 0, 0, 1].into(), page: FromPage::default() };
            token::is_light(&cx.snapshot, &cx.policy, &request)
        })
    };
    let machine = "client_credentials";
    assert_eq!(is_light("service", machine), [true, true]);
    assert_eq!(is_light("nobody", machine), [true, true], "refused from memory");
    assert_eq!(is_light("service", "password"), [false, false]);

    change::resource_server(&server, NOTES, |notes| notes.token_format = TokenFormat::Opaque);
    assert_eq!(is_light("service", machine), [false, false]);
    assert_eq!(is_light("service2", machine), [false, false], "it may ask for either");
    assert_eq!(is_light("mailer", machine), [true, true], "it has nothing to do with that");
    let encrypted = |kind: Kind| {
        let key = Some(Recipient::new(kind).public_pem());
        let wanted = Wanted { format: Some("jwe".to_owned()), key, ..Wanted::default() };
        change::resource_server(&server, NOTES, |notes| {
            notes.token_format = token_format::changed(&notes.token_format, wanted).unwrap();
        });
        is_light("service", machine)[0]
    };
    let light = Kind::ALL.map(|kind| (kind, encrypted(kind)));
    assert_eq!(
        light.iter().filter(|(_, light)| !light).map(|(kind, _)| *kind).collect::<Vec<_>>(),
        [Kind::P384, Kind::P521]
    );

    change::resource_server(&server, NOTES, |notes| notes.token_format = TokenFormat::Jwt);
    for (algorithm, light) in
        [("ES256", true), ("EdDSA", true), ("ES384", false), ("ES512", false), ("PS256", false)]
    {
        change::resource_server(&server, NOTES, |notes| {
            notes.signing_algorithm = Some(algorithm.parse().unwrap());
        });
        assert_eq!(is_light("service", machine)[0], light, "{algorithm}");
    }
}
