//! API tokens: made by rules, kept as a hash, recognised by what they are, alive as long as their owner lets them be.

use std::sync::Arc;

use countersign::app::Background;
use countersign::base::encoding::sha256;
use countersign::base::{Id, PlainToken, Seconds, TokenKind};
use countersign::domain::api_token::{ApiToken, DAY, MAX_ALIVE, Owner, Wish};
use countersign::domain::{Problem, RevocationReason, UserName};
use countersign::flow::accounts;
use countersign::flow::api_tokens::{self, ApiTokenFault, Made, NewToken};
use countersign::flow::recognise::{self, Dead, Form, Recognised};
use countersign::oauth::OAuthError;
use countersign::store::{self, resource_servers};
use serde_json::json;

use super::support::raw::{Raw, at_once};
use super::support::server::{MAIL, NOTES, OTHER, PASSWORD, START, Setup};
use super::support::{TestServer, change, on_each_database};

const YEAR: Seconds = Seconds(366 * DAY.0);

fn wish(resource: &str, scope: &str) -> Wish {
    Wish {
        name: "Backup".to_owned(),
        resource: resource.parse().unwrap(),
        scope: scope.parse().unwrap(),
        lives_for: None,
    }
}

fn alice(server: &TestServer) -> Owner {
    Owner::User(server.user("alice").id)
}

fn service(id: &str) -> Owner {
    Owner::Service(id.parse().unwrap())
}

fn make(server: &TestServer, owner: Owner, wish: Wish) -> Result<Made, ApiTokenFault> {
    let new = NewToken { owner, session: None, wish };
    api_tokens::make(server.store(), new, YEAR, &*server.app.entropy, server.app.now())
}

/// A token of alice's for the notes.
fn made(server: &TestServer) -> Made {
    make(server, alice(server), wish(NOTES, "notes:read notes:write")).unwrap()
}

fn look(server: &TestServer, text: &str) -> Result<Result<Recognised, Dead>, OAuthError> {
    recognise::access_token(&server.app.refreshed_cx().unwrap(), text)
}

fn alive(server: &TestServer, plain: &PlainToken) -> Recognised {
    look(server, plain.reveal()).unwrap().unwrap()
}

#[track_caller]
fn assert_dead(server: &TestServer, text: &str, why: &str) {
    let dead = look(server, text).unwrap().map(|token| token.claims).unwrap_err();
    assert!(dead.0.contains(why), "{dead:?}");
}

fn stored(server: &TestServer, id: &str) -> ApiToken {
    server.store().read("test", |conn| store::api_tokens::find(conn, id)).unwrap().unwrap()
}

fn problems(fault: ApiTokenFault) -> Vec<Problem> {
    match fault {
        ApiTokenFault::Problems(problems) => problems,
        other => panic!("{other:?}"),
    }
}

/// The same body with the checksum that belongs to it, computed by the rule of docs/OPERATIONS.md.
fn with_checksum(body: &str) -> String {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let checksum: String = sha256(body.as_bytes())
        .iter()
        .take(6)
        .map(|byte| char::from(alphabet[usize::from(byte % 62)]))
        .collect();
    format!("{body}{checksum}")
}

#[test]
fn a_token_stands_for_its_user_at_its_one_resource_server() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        change::give_role(&server, "alice", "editor");
        let made = made(&server);
        let token = alive(&server, &made.plain);
        let id = server.user("alice").id.to_string();
        assert_eq!(
            serde_json::to_value(&token.claims).unwrap(),
            // RFC 7662 §2.2: client_id is OPTIONAL, and nobody but the user asked for this token.
            json!({
                "iss": server.issuer, "sub": id, "aud": NOTES, "exp": START.0 + 90 * 86_400, "iat": START.0,
                "jti": made.plain.id(), "scope": "notes:read notes:write", "roles": ["editor"],
            })
        );
        assert_eq!(token.form, Form::Api);
        assert_eq!(token.user.map(|user| user.id.to_string()), Some(id));
        assert_eq!(token.authorization, None);
    });
}

#[test]
fn the_roles_are_those_at_the_time_of_use() {
    let server = TestServer::start();
    let made = made(&server);
    assert!(alive(&server, &made.plain).claims.roles.is_empty());
    change::give_role(&server, "alice", "editor");
    assert_eq!(*alive(&server, &made.plain).claims.roles, ["editor"]);
    // Mail does not ask for them.
    let mail = make(&server, alice(&server), wish(MAIL, "mail:send")).unwrap();
    assert!(alive(&server, &mail.plain).claims.roles.is_empty());
}

#[test]
fn a_token_of_a_service_account_stands_for_the_client() {
    let server = TestServer::start();
    let made = make(&server, service("service"), wish(NOTES, "notes:read")).unwrap();
    let token = alive(&server, &made.plain);
    assert_eq!((token.claims.sub.as_ref(), token.claims.client_id.as_ref()), ("service", "service"));
    assert!(token.user.is_none() && token.claims.roles.is_empty());
}

#[test]
fn only_the_hash_is_in_the_database() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = made(&server);
        let mut raw = Raw::open(&database.url);
        let mut rows =
            |which: &str| raw.number(&format!("SELECT count(*) AS n FROM api_tokens WHERE {which}"));
        assert_eq!(rows(&format!("hash = '{}'", made.plain.hash().as_str())), 1);
        let secret = made.plain.reveal().split('_').nth(3).unwrap();
        assert_eq!(rows(&format!("id || hash || name || scope || resources LIKE '%{secret}%'")), 0);
    });
}

#[test]
fn a_right_id_with_a_wrong_secret_is_worth_nothing() {
    let server = TestServer::start();
    let made = made(&server);
    let other = PlainToken::random(TokenKind::Api, &*server.app.entropy).unwrap();
    let secret = other.reveal().split('_').nth(3).unwrap();
    let forged = with_checksum(&format!("csgn_api_{}_{secret}_", made.plain.id()));
    assert!(PlainToken::parse(TokenKind::Api, &forged).is_some(), "the checksum is right");
    assert_dead(&server, &forged, "no such");
    assert_dead(&server, other.reveal(), "no such");
    alive(&server, &made.plain);
}

/// Whoever sends garbage costs no look-up: with the table away, only what is whole gets as far as that.
#[test]
fn a_token_cut_short_or_with_a_wrong_checksum_is_refused_before_any_look_up() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = made(&server);
        let whole = made.plain.reveal();
        Raw::open(&database.url).run("ALTER TABLE api_tokens RENAME TO put_away");
        assert!(look(&server, whole).is_err(), "a whole one is looked up");
        let swapped = with_checksum(&whole[..whole.len() - 6].replace("csgn_api", "csgn_rt"));
        for text in [
            &whole[..whole.len() - 1],
            &whole[..30],
            "csgn_api",
            "csgn_api_",
            &format!("{whole}a"),
            &format!("{}aaaaaa", &whole[..whole.len() - 6]),
            &whole.to_uppercase(),
            &format!(" {whole}"),
            &swapped,
            &format!("csgn_api_{}", "a".repeat(1 << 20)),
            &format!("csgn_api_{}_\0", "ä".repeat(31)),
        ] {
            assert!(look(&server, text).unwrap().is_err(), "{}", &text[..text.len().min(80)]);
        }
    });
}

#[test]
fn a_token_dies_in_the_second_in_which_its_time_is_over() {
    let server = TestServer::start();
    let made =
        make(&server, alice(&server), Wish { lives_for: Some(DAY), ..wish(NOTES, "notes:read") }).unwrap();
    server.advance(DAY.0 - 1);
    alive(&server, &made.plain);
    server.advance(1);
    assert_dead(&server, made.plain.reveal(), "expired");
}

#[test]
fn a_revoked_token_is_dead_at_once_and_the_first_reason_stands() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = made(&server);
        let revoke =
            |reason| api_tokens::revoke(server.store(), made.plain.id(), None, reason, server.app.now());
        revoke(RevocationReason::Operator).unwrap();
        assert_dead(&server, made.plain.reveal(), "revoked");
        server.advance(10);
        assert!(matches!(revoke(RevocationReason::Leaked), Err(ApiTokenFault::Unknown)));
        assert_eq!(stored(&server, made.plain.id()).revoked, Some((START, RevocationReason::Operator)));
    });
}

#[test]
fn another_owners_token_cannot_be_revoked() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let bob = Owner::User(server.add_user("bob"));
        let made = made(&server);
        for owner in [&bob, &service("service")] {
            let refused = api_tokens::revoke(
                server.store(),
                made.plain.id(),
                Some(owner),
                RevocationReason::Revoked,
                server.app.now(),
            );
            assert!(matches!(refused, Err(ApiTokenFault::Unknown)));
        }
        alive(&server, &made.plain);
        assert_eq!(api_tokens::alive(server.store(), &bob, server.app.now()).unwrap(), []);
        assert_eq!(api_tokens::alive(server.store(), &alice(&server), server.app.now()).unwrap().len(), 1);
    });
}

#[test]
fn a_token_does_nothing_while_its_user_is_locked_and_goes_with_the_user() {
    let server = TestServer::start();
    let made = made(&server);
    change::lock(&server, "alice");
    assert_dead(&server, made.plain.reveal(), "locked");
    let name = UserName::canonical("alice");
    accounts::delete(server.store(), &name, START).unwrap();
    assert_dead(&server, made.plain.reveal(), "no such");
}

/// Whoever knew the password may have made tokens with it.
#[test]
fn a_lock_and_a_new_password_take_the_users_tokens_along_for_good() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let name = UserName::canonical("alice");
        let app = &server.app;
        let (first, of_client) =
            (made(&server), make(&server, service("service"), wish(NOTES, "notes:read")));
        accounts::lock(&app.store, &name, app.now()).unwrap();
        accounts::unlock(&app.store, &name, app.now()).unwrap();
        assert_dead(&server, first.plain.reveal(), "revoked");
        let second = made(&server);
        accounts::set_password(&app.store, &app.passwords, &*app.entropy, &name, PASSWORD, app.now())
            .unwrap();
        assert_dead(&server, second.plain.reveal(), "revoked");
        alive(&server, &of_client.unwrap().plain);
    });
}

#[test]
fn a_token_does_nothing_while_its_client_is_switched_off_or_no_service_account() {
    let server = TestServer::start();
    let made = make(&server, service("service2"), wish(NOTES, "notes:read")).unwrap();
    change::client(&server, "service2", |draft| draft.resources.retain(|id| id.as_str() != NOTES));
    assert_dead(&server, made.plain.reveal(), "may not act for itself at this resource");
    change::client(&server, "service2", |draft| draft.resources.push(NOTES.parse().unwrap()));
    alive(&server, &made.plain);
    change::client(&server, "service2", |draft| {
        draft.profile = countersign::domain::Profile::Web;
        draft.grant_types = [countersign::oauth::GrantType::AuthorizationCode].into();
        draft.redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
    });
    assert_dead(&server, made.plain.reveal(), "may not act for itself");
    change::switch_off(&server, "service2");
    assert_dead(&server, made.plain.reveal(), "switched off");
}

#[test]
fn what_is_taken_from_a_client_or_a_resource_server_is_taken_from_the_token() {
    let server = TestServer::start();
    let made = make(&server, service("service"), wish(NOTES, "notes:read notes:write")).unwrap();
    let of_alice = make(&server, alice(&server), wish(NOTES, "notes:read notes:write")).unwrap();
    change::client(&server, "service", |draft| draft.scope = "notes:read".parse().unwrap());
    assert_eq!(alive(&server, &made.plain).claims.scope, "notes:read");
    assert_eq!(alive(&server, &of_alice.plain).claims.scope, "notes:read notes:write");

    let keep = |names: &'static [&str]| {
        let changed = server.store().write("test", move |conn| {
            let all = resource_servers::all(conn)?;
            let mut notes = all.into_iter().find(|server| server.id.as_str() == NOTES).unwrap();
            notes.scopes.retain(|scope| names.contains(&scope.name.as_str()));
            resource_servers::update(conn, &notes)
        });
        assert!(changed.unwrap());
        server.refresh();
    };
    keep(&["notes:write"]);
    assert_eq!(alive(&server, &of_alice.plain).claims.scope, "notes:write");
    assert_dead(&server, made.plain.reveal(), "nothing is left of its scope");
    keep(&[]);
    assert_dead(&server, of_alice.plain.reveal(), "nothing is left of its scope");
    let id = NOTES.parse().unwrap();
    server.store().write("test", move |conn| resource_servers::delete(conn, &id)).unwrap();
    server.refresh();
    assert_dead(&server, of_alice.plain.reveal(), "resource server is gone");
}

#[test]
fn a_wish_is_checked_and_every_problem_is_told() {
    let server = TestServer::start();
    let fields = |wish: Wish| {
        let problems = make(&server, alice(&server), wish).map_err(problems).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    let named = |name: &str| fields(Wish { name: name.to_owned(), ..wish(NOTES, "notes:read") });
    for name in ["", "  ", "a\nb", &"a".repeat(101), &"ä".repeat(51)] {
        assert_eq!(named(name), ["name"], "{name:?}");
    }
    assert_eq!(named(&"a".repeat(100)), Vec::<&str>::new());
    for scope in ["", "mail:send", "notes:read openid", "notes:read offline_access"] {
        assert_eq!(fields(wish(NOTES, scope)), ["scope"], "{scope:?}");
    }
    let lives =
        |seconds: i64| fields(Wish { lives_for: Some(Seconds(seconds)), ..wish(NOTES, "notes:read") });
    for seconds in [i64::MIN, -1, 0, DAY.0 - 1, YEAR.0 + 1, i64::MAX] {
        assert_eq!(lives(seconds), ["lives_for"], "{seconds}");
    }
    assert_eq!((lives(DAY.0), lives(YEAR.0)), (vec![], vec![]));
    let all = Wish { name: String::new(), lives_for: Some(Seconds(0)), ..wish(NOTES, "") };
    assert_eq!(fields(all), ["name", "scope", "lives_for"]);
    let nowhere = make(&server, alice(&server), wish("https://nowhere.example", "notes:read"));
    assert!(matches!(nowhere, Err(ApiTokenFault::ResourceServer(_))));
}

#[test]
fn the_configured_maximum_is_the_longest_life_and_the_default_where_it_is_shorter() {
    let extra = format!("[tokens]\napi_token_max_ttl_s = {}", 30 * DAY.0);
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let longest = server.app.policy.api_token_max_ttl;
    let with = |lives_for| {
        let wish = Wish { lives_for, ..wish(NOTES, "notes:read") };
        let new = NewToken { owner: alice(&server), session: None, wish };
        api_tokens::make(server.store(), new, longest, &*server.app.entropy, START)
    };
    assert_eq!(with(None).unwrap().stored.expires_at, START + Seconds(30 * DAY.0));
    let refused = problems(with(Some(Seconds(31 * DAY.0))).err().unwrap());
    assert!(refused[0].text.contains("30 days at most"), "{refused:?}");
}

#[test]
fn a_service_account_gives_away_no_more_than_it_has() {
    let server = TestServer::start();
    let refused = |client: &str, resource: &str, scope: &str| {
        let problems = problems(make(&server, service(client), wish(resource, scope)).err().unwrap());
        problems.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(refused("service", MAIL, "mail:send"), ["resource", "scope"]);
    change::client(&server, "service", |draft| draft.scope = "notes:read".parse().unwrap());
    assert_eq!(refused("service", NOTES, "notes:read notes:write"), ["scope"]);
    // `shared` belongs to two resource servers; the token is for the named one alone.
    make(&server, service("service2"), wish(OTHER, "shared")).unwrap();
    assert_eq!(refused("web", NOTES, "notes:read"), ["client"]);
    for nobody in [service("nobody"), Owner::User(Id::random(&*server.app.entropy).unwrap())] {
        let made = make(&server, nobody, wish(NOTES, "notes:read"));
        assert!(matches!(made, Err(ApiTokenFault::Owner)));
    }
    change::switch_off(&server, "service");
    assert!(matches!(
        make(&server, service("service"), wish(NOTES, "notes:read")),
        Err(ApiTokenFault::Owner)
    ));
    change::lock(&server, "alice");
    assert!(matches!(make(&server, alice(&server), wish(NOTES, "notes:read")), Err(ApiTokenFault::Owner)));
}

/// However many ask at once: the owner's row is held while they are counted.
#[test]
fn an_owner_has_no_more_living_tokens_than_the_limit() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        for owner in [alice(&server), service("service")] {
            let one = || make(&server, owner.clone(), wish(NOTES, "notes:read"));
            for _ in 0..MAX_ALIVE - 3 {
                one().unwrap();
            }
            let outcomes = at_once(8, |_| match one() {
                Ok(made) => Some(made),
                Err(ApiTokenFault::Full) => None,
                Err(other) => panic!("{other:?}"),
            });
            let fitted: Vec<&Made> = outcomes.iter().flatten().collect();
            assert_eq!(fitted.len(), 3, "{}", database.kind);
            // What is dead does not count.
            let id = fitted[0].plain.id();
            api_tokens::revoke(server.store(), id, Some(&owner), RevocationReason::Revoked, START).unwrap();
            one().unwrap();
            assert!(matches!(one(), Err(ApiTokenFault::Full)));
        }
    });
}

/// A use costs no write; it is written down with those of others, and only forward.
#[test]
fn the_last_use_is_written_down_later_and_never_backwards() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = made(&server);
        let last_use = || stored(&server, made.plain.id()).last_used_at;
        alive(&server, &made.plain);
        server.advance(5);
        alive(&server, &made.plain);
        assert_eq!(last_use(), None);
        assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 1);
        assert_eq!(last_use(), Some(START + Seconds(5)));
        assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 0);

        // Within a minute of what is written there is nothing to note.
        server.advance(59);
        alive(&server, &made.plain);
        assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 0);
        server.advance(1);
        alive(&server, &made.plain);
        // Another node saw a later use, and was first to write it down.
        let (id, later) = (made.plain.id().to_owned(), START + Seconds(500));
        server.store().write("test", move |conn| store::api_tokens::note_use(conn, &id, later)).unwrap();
        assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 1);
        assert_eq!(last_use(), Some(later));
    });
}

#[test]
fn a_token_that_is_refused_was_not_used() {
    let server = TestServer::start();
    let made = made(&server);
    change::lock(&server, "alice");
    assert_dead(&server, made.plain.reveal(), "locked");
    assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 0);
}

#[test]
fn uses_that_could_not_be_written_down_are_kept_for_the_next_time() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = made(&server);
        alive(&server, &made.plain);
        let mut raw = Raw::open(&database.url);
        raw.run("ALTER TABLE api_tokens RENAME TO put_away");
        assert!(server.app.last_uses.flush(server.store()).is_err());
        raw.run("ALTER TABLE put_away RENAME TO api_tokens");
        assert_eq!(server.app.last_uses.flush(server.store()).unwrap(), 1);
        assert_eq!(stored(&server, made.plain.id()).last_used_at, Some(START));
    });
}

#[test]
fn the_last_use_is_written_down_when_the_server_stops() {
    let server = TestServer::start();
    let made = made(&server);
    let background = Background::start(&Arc::clone(&server.app), &server.config).unwrap();
    alive(&server, &made.plain);
    drop(background);
    assert_eq!(stored(&server, made.plain.id()).last_used_at, Some(START));
}
