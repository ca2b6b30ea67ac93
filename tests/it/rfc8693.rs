//! RFC 8693: a token for one audience against one for another, never for more than the rule, the client and the token allow.

use countersign::domain::ExchangeRule;
use countersign::domain::client::ClientDraft;
use countersign::oauth::GrantType;
use countersign::store;
use serde_json::{Value, json};

use super::support::flow::{changed, claims, tokens};
use super::support::http::Answer;
use super::support::jwt::{redacted, verified};
use super::support::raw::Raw;
use super::support::server::{MAIL, NOTES, START};
use super::support::tokens::{
    assert_revoked, clients_token, forged, introspect, is_active, on, revoke, setup, two_nodes, users_token,
    writes_nothing,
};
use super::support::{TestServer, change, on_each_database};

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const OTHER: &str = "https://other.example";

/// What the gateway sends when it was called with a token for the notes and calls the mail.
fn request(token: &str) -> Vec<(&str, &str)> {
    vec![GRANT, ("subject_token", token), ("subject_token_type", ACCESS_TOKEN), ("audience", MAIL)]
}

fn with<'a>(form: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    more.iter().fold(form.to_vec(), |form, (name, value)| changed(&form, name, value))
}

fn exchanged(server: &TestServer, client: &str, form: &[(&str, &str)]) -> Answer {
    let answer = server.token(client, form);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn access_token(server: &TestServer, client: &str, form: &[(&str, &str)]) -> String {
    exchanged(server, client, form).text("access_token")
}

/// RFC 8693 §2.2.1: access_token, issued_token_type, token_type, expires_in, scope; and no refresh token.
#[test]
fn the_answer_names_what_was_issued_and_has_no_refresh_token() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    server.advance(20);
    let answer = exchanged(&server, "gateway", &request(&subject));
    insta::assert_snapshot!(redacted(&answer.wire(&["content-type", "cache-control", "pragma"])), @r#"
    200
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"access_token":"…","token_type":"Bearer","expires_in":280,"scope":"mail:send","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}
    "#);
}

#[test]
fn a_token_for_the_notes_is_exchanged_for_one_for_the_mail() {
    on_each_database(|database| {
        let server = on(&database);
        change::give_role(&server, "alice", "editor");
        let subject = users_token(&server, "openid notes:read");
        server.advance(20);
        let answer = writes_nothing(&database, || exchanged(&server, "gateway", &request(&subject)));
        let (header, new) = verified(&server, &answer.text("access_token"), MAIL);
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let old = claims(&subject);
        // It is the subject's, of the subject's family, and says who holds it now. The mail asks for no roles.
        let expected = json!({
            "iss": server.issuer,
            "sub": server.user("alice").id.to_string(),
            "aud": MAIL,
            "exp": old["exp"],
            "iat": START.0 + 20,
            "jti": new["jti"],
            "client_id": "gateway",
            "scope": "mail:send",
            "auth_time": START.0,
            "acr": "urn:countersign:acr:password",
            "amr": ["pwd"],
        });
        assert_eq!(new, expected);
        let family = |claims: &Value| claims["jti"].as_str().unwrap().split('.').next().unwrap().to_owned();
        assert_eq!(family(&new), family(&old.into()));
        assert!(is_active(&server, "mail-api", &answer.text("access_token")));
        assert!(!is_active(&server, "notes-api", &answer.text("access_token")));
    });
}

/// RFC 8693 §2.1: `resource` is the target's URI, `audience` its name; here they are one.
#[test]
fn the_target_is_named_by_audience_or_by_resource_once() {
    on_each_database(|database| {
        let server = on(&database);
        let subject = users_token(&server, "openid notes:read");
        let form = with(&request(&subject), &[("audience", "")]);
        let with_target = |more: &[(&'static str, &'static str)]| {
            let mut form = form.clone();
            form.extend_from_slice(more);
            server.token("gateway", &form)
        };
        for named in
            [&[("audience", MAIL)][..], &[("resource", MAIL)], &[("resource", MAIL), ("audience", MAIL)]]
        {
            let answer = with_target(named);
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(claims(&answer.text("access_token"))["aud"], MAIL);
        }
        // RFC 8693 §2.2.2: "unwilling or unable to issue a token for any target service indicated".
        writes_nothing(&database, || {
            for named in [
                &[][..],
                &[("audience", MAIL), ("audience", NOTES)],
                &[("resource", MAIL), ("audience", NOTES)],
                &[("resource", MAIL), ("resource", NOTES)],
                &[("audience", OTHER)],
                &[("audience", "https://nobody.example")],
                &[("audience", "mail")],
                &[("resource", "https://mail.example/api#x")],
            ] {
                let answer = with_target(named);
                assert_eq!((answer.status, answer.error()), (400, "invalid_target".to_owned()), "{named:?}");
            }
        });
    });
}

/// RFC 8693 §2.2.1: "issued_token_type: REQUIRED"; the names are those of RFC 8693 §3.
#[test]
fn a_jwt_may_be_asked_for_by_its_name() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    for (kind, shown_as) in [(ACCESS_TOKEN, JWT), (JWT, ACCESS_TOKEN)] {
        let form =
            with(&request(&subject), &[("requested_token_type", kind), ("subject_token_type", shown_as)]);
        let answer = exchanged(&server, "gateway", &form);
        assert_eq!(
            (answer.text("issued_token_type"), answer.text("token_type")),
            (kind.to_owned(), "Bearer".to_owned())
        );
    }
}

/// RFC 8693 §4.1: "The outermost "act" claim represents the current actor while nested "act" claims represent prior actors".
#[test]
fn who_acts_stands_in_act_and_before_whom_in_the_one_within() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    let relay = clients_token(&server, "relay", "mail:send");
    let actor = [("actor_token", relay.as_str()), ("actor_token_type", ACCESS_TOKEN)];
    let first = access_token(&server, "relay", &with(&request(&subject), &actor));
    assert_eq!(claims(&first)["act"], json!({ "sub": "relay" }));
    assert_eq!(claims(&first)["sub"], server.user("alice").id.to_string());

    let assistant = server.add_user("bob").to_string();
    let bobs = {
        let mut browser = server.browser();
        let page = browser.get(&super::support::flow::authorize_path(
            "web",
            &[("resource", MAIL), ("scope", "openid mail:send")],
        ));
        let page = browser.follow(page);
        let page = browser.log_in(&page, "bob", super::support::server::PASSWORD);
        let code = browser.decide(&page, "allow").sent("code").unwrap();
        server.token("web", &super::support::flow::redemption(&code)).text("access_token")
    };
    let actor = [("actor_token", bobs.as_str()), ("actor_token_type", JWT)];
    let second = access_token(&server, "relay", &with(&request(&first), &actor));
    let chain = json!({ "sub": assistant, "act": { "sub": "relay" } });
    assert_eq!(claims(&second)["act"], chain);
    // Without an actor nobody is added, and nobody disappears.
    let third = access_token(&server, "relay", &with(&request(&second), &[("audience", OTHER)]));
    assert_eq!(claims(&third)["act"], chain);
    // Whoever looks the token up is told the same.
    assert_eq!(introspect(&server, "mail-api", &third).json()["act"], chain);
}

#[test]
fn a_chain_of_actors_has_an_end() {
    let server = TestServer::with(setup());
    let relay = clients_token(&server, "relay", "mail:send");
    let mut subject = users_token(&server, "openid notes:read");
    for round in 0..9 {
        let form = with(&request(&subject), &[("actor_token", &relay), ("actor_token_type", ACCESS_TOKEN)]);
        let answer = server.token("relay", &form);
        if round == 8 {
            assert_eq!((answer.status, answer.error()), (400, "invalid_request".to_owned()));
        } else {
            subject = answer.text("access_token");
        }
    }
}

/// A client that acts for itself has no user: what it is exchanged for stands for it still, and dies when it is switched off.
#[test]
fn the_token_of_a_client_stays_that_clients() {
    on_each_database(|database| {
        let server = on(&database);
        let subject = clients_token(&server, "service", "notes:read");
        let new = access_token(&server, "gateway", &request(&subject));
        let new_claims = claims(&new);
        assert_eq!((&new_claims["sub"], &new_claims["client_id"]), (&json!("service"), &json!("gateway")));
        assert_eq!((new_claims.get("auth_time"), new_claims.get("act")), (None, None));
        assert!(is_active(&server, "mail-api", &new));
        change::switch_off(&server, "service");
        assert!(!is_active(&server, "mail-api", &new), "{}", database.kind);
    });
}

/// It "narrows": the rule, the client's own scope, what was asked for; and of what both audiences know, only what the subject
/// token has.
#[test]
fn the_scope_is_never_wider_than_rule_client_request_and_subject() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read notes:write");
    let scope = |client: &str, subject: &str, more: &[(&str, &str)]| {
        let answer = server.token(client, &with(&request(subject), more));
        if answer.status == 200 { answer.text("scope") } else { answer.error() }
    };
    assert_eq!(scope("gateway", &subject, &[]), "mail:send", "all that the client may have there");
    assert_eq!(scope("relay", &subject, &[]), "mail:send shared");
    assert_eq!(scope("relay", &subject, &[("scope", "shared")]), "shared");
    for refused in
        ["shared", "notes:read", "mail:send shared", "openid", "profile", "offline_access", "unheard:of", " "]
    {
        assert_eq!(scope("gateway", &subject, &[("scope", refused)]), "invalid_scope", "{refused}");
    }
    // For the same audience: what the subject has and the client may have.
    assert_eq!(scope("gateway", &subject, &[("audience", NOTES)]), "notes:read");
    let [writes, reads] = ["notes:write", "notes:read"].map(|value| clients_token(&server, "service", value));
    assert_eq!(scope("gateway", &writes, &[("audience", NOTES)]), "invalid_scope");
    assert_eq!(scope("gateway", &writes, &[("audience", NOTES), ("scope", "notes:read")]), "invalid_scope");
    assert_eq!(scope("gateway", &reads, &[("audience", NOTES), ("scope", "notes:write")]), "invalid_scope");
    // Two audiences know one value, and the subject token is for the first of them.
    let [sends, shares] = ["mail:send", "shared"].map(|value| {
        let form = [("grant_type", "client_credentials"), ("scope", value), ("resource", MAIL)];
        server.token("service2", &form).text("access_token")
    });
    assert_eq!(scope("relay", &sends, &[("audience", OTHER)]), "invalid_scope");
    assert_eq!(scope("relay", &shares, &[("audience", OTHER)]), "shared");
}

/// A way around: a token for the notes becomes one for the mail, and that one for the notes again.
#[test]
fn a_way_around_by_another_audience_leads_no_further() {
    let server = TestServer::with(setup());
    change::client(&server, "relay", |draft| {
        draft.scope = "mail:send notes:read notes:write".parse().unwrap();
        draft.exchange = [(NOTES, MAIL), (MAIL, NOTES)]
            .map(|(from, to)| ExchangeRule { from: from.parse().unwrap(), to: vec![to.parse().unwrap()] })
            .to_vec();
    });
    let subject = users_token(&server, "openid notes:read");
    let at_the_mail = access_token(&server, "relay", &request(&subject));
    let back = with(&request(&at_the_mail), &[("audience", NOTES)]);
    assert_eq!(exchanged(&server, "relay", &back).text("scope"), "notes:read");
    let wider = with(&back, &[("scope", "notes:write")]);
    assert_eq!(server.token("relay", &wider).error(), "invalid_scope");
}

/// The life is what the subject token has left, or less where client or target say so.
#[test]
fn the_new_token_never_outlives_the_subject_token() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    server.advance(290);
    let answer = exchanged(&server, "gateway", &request(&subject));
    assert_eq!(answer.json()["expires_in"], 10);
    server.advance(9);
    assert!(is_active(&server, "mail-api", &answer.text("access_token")));
    server.advance(1);
    assert!(!is_active(&server, "mail-api", &answer.text("access_token")));

    change::client(&server, "gateway", |draft| draft.access_token_ttl = Some(countersign::base::Seconds(60)));
    let subject = users_token(&server, "openid notes:read");
    assert_eq!(exchanged(&server, "gateway", &request(&subject)).json()["expires_in"], 60);
}

/// It is of the subject token's family: what ends that ends it, on every node.
#[test]
fn it_dies_with_its_family_and_with_the_account_of_its_user() {
    on_each_database(|database| {
        let (one, two) = two_nodes(&database);
        let family = tokens(&one);
        let new = access_token(&two, "gateway", &request(&family.text("access_token")));
        let again = access_token(&one, "relay", &with(&request(&new), &[("scope", "mail:send")]));
        let locked = access_token(&one, "gateway", &request(&users_token(&one, "openid notes:read")));
        for token in [&new, &again, &locked] {
            assert!(is_active(&one, "mail-api", token) && is_active(&two, "mail-api", token));
        }
        assert_revoked(&revoke(&one, "web", &family.text("refresh_token")));
        for token in [&new, &again] {
            assert!(
                !is_active(&one, "mail-api", token) && !is_active(&two, "mail-api", token),
                "{}",
                database.kind
            );
        }
        assert!(is_active(&two, "mail-api", &locked));
        change::lock(&one, "alice");
        assert!(!is_active(&two, "mail-api", &locked), "{}", database.kind);
        Raw::open(&database.url).run("UPDATE users SET locked_at = NULL");
        change::switch_off(&one, "web");
        assert!(!is_active(&one, "mail-api", &locked), "the client that the user gave it to is switched off");
    });
}

/// One that was exchanged may be revoked by the client that holds it, alone.
#[test]
fn its_holder_revokes_it_and_nobody_else() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    let new = access_token(&server, "gateway", &request(&subject));
    assert_eq!(revoke(&server, "web", &new).error(), "invalid_grant");
    assert_revoked(&revoke(&server, "gateway", &new));
    assert!(!is_active(&server, "mail-api", &new) && is_active(&server, "notes-api", &subject));
}

/// RFC 8693 §2.2.2: "If the request itself is not valid or if either the "subject_token" or "actor_token" are invalid for any
/// reason, or are unacceptable based on policy, […] the "invalid_request" error code."
#[test]
fn a_token_that_is_worth_nothing_or_is_for_somebody_else_is_refused() {
    let elsewhere = TestServer::with(setup());
    on_each_database(|database| {
        let server = on(&database);
        let answer = tokens(&server);
        let subject = answer.text("access_token");
        let [other_claims, other_signature] = forged(&subject);
        let revoked = users_token(&server, "openid notes:read");
        assert_revoked(&revoke(&server, "web", &revoked));
        let own = server.token("service2", &[("grant_type", "client_credentials"), ("scope", "mail:send")]);
        let useless = [
            ("an ID token", answer.text("id_token")),
            ("a refresh token", answer.text("refresh_token")),
            ("cut short", subject[..subject.len() - 5].to_owned()),
            ("changed claims", other_claims),
            ("a changed signature", other_signature),
            ("of another issuer", users_token(&elsewhere, "openid notes:read")),
            ("revoked", revoked),
            ("for an audience that no rule begins with", own.text("access_token")),
            ("without an audience", users_token(&server, "openid")),
            ("a word", "x".to_owned()),
        ];
        writes_nothing(&database, || {
            for (what, token) in &useless {
                let as_subject = server.token("gateway", &request(token));
                assert_eq!(
                    (as_subject.status, as_subject.error()),
                    (400, "invalid_request".to_owned()),
                    "{what}"
                );
                let form =
                    with(&request(&subject), &[("actor_token", token), ("actor_token_type", ACCESS_TOKEN)]);
                let as_actor = server.token("gateway", &form);
                assert_eq!(
                    (as_actor.status, as_actor.error()),
                    (400, "invalid_request".to_owned()),
                    "{what}"
                );
            }
        });
        server.advance(300);
        writes_nothing(&database, || {
            assert_eq!(server.token("gateway", &request(&subject)).error(), "invalid_request", "expired");
        });
    });
}

/// Nobody hides behind an actor that acts for another already.
#[test]
fn an_actor_token_in_which_somebody_acts_is_refused() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    let relay = clients_token(&server, "relay", "mail:send");
    let form = with(&request(&subject), &[("actor_token", &relay), ("actor_token_type", ACCESS_TOKEN)]);
    let delegated = access_token(&server, "relay", &form);
    let form = with(&request(&subject), &[("actor_token", &delegated), ("actor_token_type", ACCESS_TOKEN)]);
    assert_eq!(server.token("relay", &form).error(), "invalid_request");
}

#[test]
fn a_locked_user_and_a_client_that_is_switched_off_exchange_nothing() {
    on_each_database(|database| {
        let server = on(&database);
        let (users, clients) =
            (users_token(&server, "openid notes:read"), clients_token(&server, "service", "notes:read"));
        change::lock(&server, "alice");
        change::switch_off(&server, "service");
        writes_nothing(&database, || {
            for token in [&users, &clients] {
                assert_eq!(server.token("gateway", &request(token)).error(), "invalid_request");
            }
        });
        Raw::open(&database.url).run("UPDATE users SET locked_at = NULL");
        assert_eq!(server.token("gateway", &request(&users)).status, 200);
        change::switch_off(&server, "gateway");
        assert_eq!(server.token("gateway", &request(&users)).error(), "invalid_client");
    });
}

/// RFC 8693 §2.1, parameter by parameter.
#[test]
fn a_request_that_is_no_exchange_is_refused() {
    on_each_database(|database| {
        let server = on(&database);
        let subject = users_token(&server, "openid notes:read");
        let own = clients_token(&server, "relay", "mail:send");
        let good = request(&subject);
        let too_long = "x".repeat(16_385);
        writes_nothing(&database, || {
            for more in [
                &[("subject_token", "")][..],
                &[("subject_token_type", "")],
                &[("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
                &[("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")],
                &[("subject_token_type", "access_token")],
                &[("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
                &[("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")],
                &[("actor_token", own.as_str())],
                &[("actor_token_type", ACCESS_TOKEN)],
                &[("actor_token", own.as_str()), ("actor_token_type", "jwt")],
                &[("subject_token", too_long.as_str())],
            ] {
                let answer = server.token("relay", &with(&good, more));
                assert_eq!((answer.status, answer.error()), (400, "invalid_request".to_owned()), "{more:?}");
            }
            let megabyte = "x".repeat(1 << 20);
            let answer = server.token("relay", &with(&good, &[("subject_token", &megabyte)]));
            assert_eq!((answer.status, answer.error()), (413, "invalid_request".to_owned()));
        });
        assert_eq!(server.token("relay", &good).status, 200);
    });
}

/// Off by default: a client has the grant and a rule, or nothing.
#[test]
fn a_client_without_the_grant_is_refused_and_a_rule_that_is_taken_back_counts_at_once() {
    on_each_database(|database| {
        let server = on(&database);
        let subject = users_token(&server, "openid notes:read");
        let ask = |client: &str| server.token(client, &request(&subject));
        writes_nothing(&database, || {
            for client in ["web", "service", "notes-api", "house"] {
                assert_eq!(ask(client).error(), "unauthorized_client", "{client}");
            }
            let public = with(&request(&subject), &[("client_id", "app")]);
            assert_eq!(server.client().post("/token", &public).error(), "unauthorized_client");
            assert_eq!(server.client().post("/token", &request(&subject)).error(), "invalid_client");
        });
        assert_eq!(ask("gateway").status, 200);
        let rules = |draft: &mut ClientDraft, to: &str| {
            draft.exchange =
                vec![ExchangeRule { from: NOTES.parse().unwrap(), to: vec![to.parse().unwrap()] }];
        };
        change::client(&server, "gateway", |draft| rules(draft, NOTES));
        assert_eq!(ask("gateway").error(), "invalid_target");
        change::client(&server, "gateway", |draft| rules(draft, MAIL));
        assert_eq!(ask("gateway").status, 200);
        let mail = MAIL.parse().unwrap();
        server.store().write("test", move |conn| store::resource_servers::delete(conn, &mail)).unwrap();
        server.refresh();
        assert_eq!(ask("gateway").error(), "invalid_target", "there is no such resource server any more");
        change::client(&server, "gateway", |draft| {
            draft.grant_types.remove(&GrantType::TokenExchange);
            draft.exchange.clear();
        });
        assert_eq!(ask("gateway").error(), "unauthorized_client");
    });
}

/// A target may ask for the user's roles: as they are now, not as they were in the subject token.
#[test]
fn the_roles_are_those_that_the_user_has_now_and_the_target_asks_for() {
    let server = TestServer::with(setup());
    let subject = users_token(&server, "openid notes:read");
    assert_eq!(claims(&subject).get("roles"), None);
    change::give_role(&server, "alice", "editor");
    let for_notes = access_token(&server, "gateway", &with(&request(&subject), &[("audience", NOTES)]));
    assert_eq!(claims(&for_notes)["roles"], json!(["editor"]));
    assert_eq!(claims(&access_token(&server, "gateway", &request(&for_notes))).get("roles"), None);
}
