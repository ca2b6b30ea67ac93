//! What the configuration file declares is applied at every start: once is as good as twice, and all of it or nothing.

use std::sync::Arc;

use countersign::app::{App, StartError, declared};
use countersign::base::clock::ManualClock;
use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, Id, Seconds, Timestamp};
use countersign::domain::client::ClientDraft;
use countersign::domain::{Client, ClientSecret, Profile, ResourceServer, Role};
use countersign::flow::declare::{DeclareError, Declared, apply};
use countersign::store::{self, Store};

use super::support::flow::{code, redemption, tokens};
use super::support::raw::migrated;
use super::support::server::{CLIENTS, START, Setup, config, secret};
use super::support::{TestServer, on_each_database};

/// What a file says in the terms of the domain.
fn file(clients: &str) -> Declared {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup { clients: clients.to_owned(), ..Setup::default() };
    declared(&config(&setup, "http://127.0.0.1:9", folder.path()), START).unwrap()
}

fn applied(store: &Store, declared: &Declared, now: Timestamp) -> Result<usize, DeclareError> {
    let ids = declared.clients.iter().map(|_| Id::random(&OsEntropy).unwrap()).collect();
    apply(store, declared, now, ids).map(|changes| changes.len())
}

/// Everything that declarations may touch.
fn everything(store: &Store) -> (Vec<Client>, Vec<ClientSecret>, Vec<ResourceServer>, Vec<Role>) {
    store
        .read("test", |conn| {
            Ok((
                store::clients::all(conn)?,
                store::client_secrets::all(conn)?,
                store::resource_servers::all(conn)?,
                store::roles::all(conn)?,
            ))
        })
        .unwrap()
}

fn revision(store: &Store) -> i64 {
    store.read("test", store::revision::current).unwrap()
}

fn find(store: &Store, id: &str) -> Client {
    store.read("test", |conn| store::clients::find(conn, &id.parse().unwrap())).unwrap().unwrap()
}

#[test]
fn a_file_that_is_applied_twice_changes_nothing_the_second_time() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let file = file(CLIENTS);
        // Seven clients, five secrets, three resource servers, one role.
        assert_eq!(applied(&store, &file, START).unwrap(), 16, "{}", database.kind);
        let (before, seen) = (everything(&store), revision(&store));
        assert_eq!(applied(&store, &file, START + Seconds(5)).unwrap(), 0);
        assert_eq!(everything(&store), before);
        assert!(before.0.iter().all(|client| client.declared));
        // The other nodes need not read anything anew.
        assert_eq!(revision(&store), seen);
    });
}

#[test]
fn what_changed_in_the_file_changes_and_keeps_its_date() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        applied(&store, &file(CLIENTS), START).unwrap();
        let changed = CLIENTS
            .replace("name = \"Notes App\"", "name = \"Notes, anew\"")
            .replace("include_roles = true", "include_roles = false")
            .replace("name = \"editor\"", "name = \"editor\"\ndescription = \"Edits\"");
        assert_eq!(applied(&store, &file(&changed), START + Seconds(5)).unwrap(), 3, "{}", database.kind);
        let (_, _, servers, roles) = everything(&store);
        let app = find(&store, "app");
        assert_eq!((app.name.as_str(), app.created_at), ("Notes, anew", START));
        assert!(servers.iter().all(|server| !server.include_roles && server.created_at == START));
        assert_eq!((roles[0].description.as_str(), roles[0].created_at), ("Edits", START));
    });
}

/// The file without the client `id`.
fn without(id: &str) -> String {
    let start = CLIENTS.find(&format!("[[clients]]\nid = \"{id}\"")).unwrap();
    let end = CLIENTS[start + 1..].find("[[").map_or(CLIENTS.len(), |at| start + 1 + at);
    format!("{}{}", &CLIENTS[..start], &CLIENTS[end..])
}

#[test]
fn a_client_that_is_gone_from_the_file_is_off_and_comes_back_with_its_authorizations() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let token = tokens(&server).text("refresh_token");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];

        assert_eq!(applied(server.store(), &file(&without("web")), START + Seconds(5)).unwrap(), 1);
        server.refresh();
        assert_eq!(find(server.store(), "web").disabled_at, Some(START + Seconds(5)));
        assert_eq!(server.token("web", &refresh).error(), "invalid_client", "{}", database.kind);
        // It stays off since then, however often the server starts.
        assert_eq!(applied(server.store(), &file(&without("web")), START + Seconds(9)).unwrap(), 0);

        assert_eq!(applied(server.store(), &file(CLIENTS), START + Seconds(20)).unwrap(), 1);
        server.refresh();
        let answer = server.token("web", &refresh);
        assert_eq!(answer.status, 200, "{}: {}", database.kind, answer.body);
    });
}

#[test]
fn a_resource_server_that_is_gone_from_the_file_is_removed_and_a_role_stays_with_its_users() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let alice = server.user("alice").id;
        server.store().write("test", move |conn| store::roles::give(conn, alice, "editor")).unwrap();
        let others = CLIENTS
            .replace("[[roles]]\nname = \"editor\"\n", "")
            .replace("[[resource_servers]]\nid = \"https://other.example\"\nname = \"Other\"\nuser_api_tokens = true\nscopes = { \"shared\" = \"Something that two know\" }\n", "")
            .replace(", \"https://other.example\"", "");
        // The resource server, the role, and the client that named the resource server.
        assert_eq!(applied(server.store(), &file(&others), START).unwrap(), 3, "{}", database.kind);
        let (_, _, servers, roles) = everything(server.store());
        assert!(servers.iter().all(|server| server.id.as_str() != "https://other.example"));
        assert_eq!((roles.len(), roles[0].declared), (1, false));
        let given = server.store().read("test", |conn| store::roles::of_user(conn, alice)).unwrap();
        assert_eq!(given, ["editor"]);
    });
}

#[test]
fn what_the_command_line_made_is_left_alone() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let draft =
            ClientDraft::with_defaults("by-hand".parse().unwrap(), "By hand".to_owned(), Profile::Service);
        let made = Client::check(draft, START).unwrap();
        let stored = made.clone();
        store.write("test", move |conn| store::clients::insert(conn, &stored)).unwrap();
        applied(&store, &file(CLIENTS), START + Seconds(5)).unwrap();
        applied(&store, &Declared::default(), START + Seconds(6)).unwrap();
        assert_eq!(find(&store, "by-hand"), made, "{}", database.kind);
    });
}

/// A refusal commits, so that it must come before the first row is written.
#[test]
fn a_client_of_the_command_line_with_a_declared_id_stops_everything_and_nothing_is_applied() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        for id in ["app", "service"] {
            let draft = ClientDraft::with_defaults(id.parse().unwrap(), id.to_owned(), Profile::Service);
            let made = Client::check(draft, START).unwrap();
            store.write("test", move |conn| store::clients::insert(conn, &made)).unwrap();
        }
        let before = everything(&store);
        let refused = applied(&store, &file(CLIENTS), START);
        let Err(DeclareError::Problems(problems)) = refused else { panic!("{refused:?}") };
        let names: Vec<&str> = problems.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["client app", "client service"], "{}", database.kind);
        assert!(problems[0].1.text.contains("command line"), "{}", problems[0].1);
        assert_eq!(everything(&store), before, "{}", database.kind);

        let told = start(&database.url, CLIENTS, START).map(|_| ()).unwrap_err().0;
        assert!(told.contains("client app: ") && told.contains("client service: "), "{told}");
    });
}

#[test]
fn all_problems_are_told_at_once_and_nothing_is_applied() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let mut file = file(CLIENTS);
        file.roles.push(Role { name: "two words".to_owned(), ..file.roles[0].clone() });
        file.resource_servers[1].name = "x".repeat(1_000);
        for (draft, secret) in &mut file.clients {
            match draft.id.as_str() {
                "app" => *secret = Some(HashedToken::of("a public client's")),
                "web" => draft.redirect_uris.clear(),
                "service" => *secret = None,
                _ => {}
            }
        }
        let refused = applied(&store, &file, START);
        let Err(DeclareError::Problems(problems)) = refused else { panic!("{refused:?}") };
        let told: Vec<String> = problems.iter().map(|(name, p)| format!("{name} {}", p.field)).collect();
        // The same on both databases.
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.join("\n"), @r"
        role two words name
        resource server https://mail.example/api name
        client app secret
        client web redirect_uris
        client service secret_hash
        ");
        }
        assert!(everything(&store).0.is_empty() && everything(&store).2.is_empty(), "{}", database.kind);
    });
}

fn start(url: &str, clients: &str, now: Timestamp) -> Result<App, StartError> {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup { database: Some(url.to_owned()), clients: clients.to_owned(), ..Setup::default() };
    let config = config(&setup, "http://127.0.0.1:9", folder.path());
    let issuer = config.server.issuer.clone().unwrap();
    App::start(&config, &issuer, Arc::new(ManualClock::at(now)), Arc::new(OsEntropy))
}

const CLIENT_CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("scope", "notes:read")];

#[test]
fn a_secret_that_changed_in_the_file_ends_and_the_new_one_counts() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let status =
            |secret: &str| server.client().post_as("service", secret, "/token", CLIENT_CREDENTIALS).status;
        let new = "another-secret-0123456789-0123456789-0123456789";
        let with_new =
            CLIENTS.replace("SECRET_HASH:service\"", &format!("{}\"", HashedToken::of(new).as_str()));
        let statuses = || (status(&secret("service")), status(new));
        assert_eq!(statuses(), (200, 401), "{}", database.kind);
        assert_eq!(applied(server.store(), &file(&with_new), START).unwrap(), 2);
        server.refresh();
        assert_eq!(statuses(), (401, 200), "{}", database.kind);
        assert_eq!(applied(server.store(), &file(&with_new), START).unwrap(), 0);
        // And back: what ended may be declared again.
        assert_eq!(applied(server.store(), &file(CLIENTS), START).unwrap(), 2);
        server.refresh();
        assert_eq!(statuses(), (200, 401), "{}", database.kind);
    });
}

/// An operator who changes a secret lets the old one run out; once it stands in the file again, it counts for good.
#[test]
fn a_secret_that_is_about_to_end_and_is_declared_does_not_end() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let hash = HashedToken::of(&secret("service"));
        let (_, secrets, _, _) = everything(server.store());
        let id = secrets.iter().find(|known| known.hash == hash).unwrap().id;
        let until = START + Seconds(60);
        server.store().write("test", move |conn| store::client_secrets::expire(conn, id, until)).unwrap();
        applied(server.store(), &file(CLIENTS), START).unwrap();
        server.advance(61);
        server.refresh();
        let answer = server.token("service", CLIENT_CREDENTIALS);
        assert_eq!(answer.status, 200, "{}: {}", database.kind, answer.body);
    });
}

/// A restart in the middle of a flow: the code that was sent out before is good after it.
#[test]
fn a_code_outlives_a_start_with_the_same_file() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", &[]);
        let again = start(&database.url, CLIENTS, START + Seconds(1)).unwrap();
        assert!(again.known().client("web").is_some());
        let answer = server.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}: {}", database.kind, answer.body);
    });
}
