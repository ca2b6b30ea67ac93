//! The demo's folder: configuration, secrets, the user; and what a person is told.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::{PlainToken, TokenKind};
use crate::domain::{User, UserName};
use crate::flow::accounts::{self, AccountFault, NewAccount};
use crate::store::roles;

use super::super::output::Failure;
use super::super::setup::{Setup, entropy, now};
use super::super::user::{generated, hasher};

pub(super) const USER: &str = "alice";
/// What is known of her, so that there is something to see.
const PERSON: [(&str, &str); 5] = [
    ("given_name", "Alice"),
    ("family_name", "Example"),
    ("locale", "en-GB"),
    ("zoneinfo", "Europe/London"),
    ("address.locality", "London"),
];

/// Where everything is.
pub(super) struct World {
    folder: PathBuf,
    port: u16,
    /// Whether the password was made just now.
    password_is_new: bool,
}

impl World {
    pub(super) fn make(folder: &Path, port: u16) -> Result<Self, Failure> {
        for port in port..port + 4 {
            TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
                Failure::new(format!(
                    "port {port}: {error}; choose four others: `make demo PORT=9000`, or --port 9000"
                ))
            })?;
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)?;
        let mut world = Self { folder: folder.canonicalize()?, port, password_is_new: false };
        for client in ["demo-web", "demo-service", "demo-password", "demo-api"] {
            let secret = PlainToken::random(TokenKind::ClientSecret, &*entropy()).map_err(Failure::new)?;
            write_once(&world.secret_file(client), secret.reveal())?;
        }
        world.password_is_new = write_once(&world.password_file(), &generated()?)?;
        fs::write(world.config_file(), world.configuration()?)?;
        Ok(world)
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.join("countersign.toml")
    }

    pub(super) fn secret_file(&self, client: &str) -> PathBuf {
        self.folder.join(format!("{client}.secret"))
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("alice.password")
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn app(&self) -> String {
        format!("127.0.0.1:{}", self.port + 1)
    }

    pub(super) fn api(&self) -> String {
        format!("127.0.0.1:{}", self.port + 2)
    }

    pub(super) fn web(&self) -> String {
        format!("127.0.0.1:{}", self.port + 3)
    }

    /// Adds the user with the password of the file; at a later start the user is there already.
    pub(super) fn add_user(&self, setup: &Setup) -> Result<(), Failure> {
        let (config, store) = setup.store()?;
        let password = self.password()?;
        let new = NewAccount { username: USER, password: &password };
        let known = |user: &mut User| {
            user.display_name = Some("Alice Example".to_owned());
            user.email = Some("alice@example.org".to_owned());
            for (name, value) in PERSON {
                user.person.set(name, value)?;
            }
            Ok(())
        };
        let hasher = hasher(&config)?;
        let user = match accounts::create(&store, &hasher, &*entropy(), new, known, now()) {
            Ok(user) => user,
            // Somebody took the file away: the old password is lost.
            Err(AccountFault::Taken) if self.password_is_new => {
                let name = UserName::canonical(USER);
                accounts::set_password(&store, &hasher, &*entropy(), &name, &password, now())
                    .map_err(Failure::new)?;
                return Ok(());
            }
            Err(AccountFault::Taken) => return Ok(()),
            Err(other) => return Err(Failure::new(other)),
        };
        // The role itself is declared, and is there from the first start of the server on.
        let role = crate::domain::Role {
            name: "editor".to_owned(),
            description: "May change what others wrote".to_owned(),
            declared: true,
            created_at: now(),
        };
        store.write("demo role", move |conn| {
            if !roles::all(conn)?.iter().any(|known| known.name == role.name) {
                roles::insert(conn, &role)?;
            }
            roles::give(conn, user.id, &role.name)
        })?;
        Ok(())
    }

    fn password(&self) -> Result<Zeroizing<String>, Failure> {
        Ok(Zeroizing::new(fs::read_to_string(self.password_file())?.trim().to_owned()))
    }

    fn configuration(&self) -> Result<String, Failure> {
        let shown = self.folder.to_str().filter(|path| !path.contains(['\'', '\n', '?']));
        let folder = shown.ok_or_else(|| {
            Failure::new(format!("{}: choose a folder without ' or ? in its path", self.folder.display()))
        })?;
        let (issuer, app, api, web) = (self.issuer(), self.app(), self.api(), self.web());
        let port = self.port;
        Ok(format!(
            r#"# Made by `countersign demo`, anew at every start.
[server]
issuer = "{issuer}"
listen = ["127.0.0.1:{port}"]

[database]
url = 'sqlite:{folder}/countersign.db'

[keys]
master_key_file = '{folder}/master.key'

[pages]
service_name = "Countersign demo"

[log]
level = "warn"

[[resource_servers]]
id = "http://{api}"
name = "Demo Notes"
scopes = {{ "notes:read" = "Read your notes", "notes:write" = "Write notes for you" }}
include_roles = true
user_api_tokens = true

[[roles]]
name = "editor"
description = "May change what others wrote"

# A single-page app: no secret, PKCE, no refresh token. It renews while the browser session lives: in a hidden frame, by
# redirect, or, since it is the house's own and on the same site (127.0.0.1, whatever the port), by the session grant.
[[clients]]
id = "demo-spa"
name = "Demo App"
profile = "spa"
first_party = true
grant_types = ["authorization_code", "urn:countersign:params:oauth:grant-type:session"]
redirect_uris = ["http://{app}/", "http://{app}/silent.html"]
post_logout_redirect_uris = ["http://{app}/"]
scopes = ["notes:read", "notes:write"]
resources = ["http://{api}"]

# A web application with a server: a secret, and refresh tokens.
[[clients]]
id = "demo-web"
name = "Demo Web App"
profile = "web"
redirect_uris = ["http://{web}/callback"]
post_logout_redirect_uris = ["http://{web}/"]
scopes = ["notes:read", "notes:write"]
resources = ["http://{api}"]
secret_file = '{folder}/demo-web.secret'

# A machine: client credentials.
[[clients]]
id = "demo-service"
name = "Demo Service"
profile = "service"
scopes = ["notes:read"]
resources = ["http://{api}"]
secret_file = '{folder}/demo-service.secret'

# The password grant, which new applications should not use (RFC 9700 §2.4): off unless a client is marked for it.
[[clients]]
id = "demo-password"
name = "Demo Password Client"
profile = "first-party"
grant_types = ["password", "refresh_token"]
allow_password_grant = true
scopes = ["notes:read", "notes:write"]
resources = ["http://{api}"]
secret_file = '{folder}/demo-password.secret'

# The resource server itself, where it asks: what is this token (RFC 7662), and may I have another for it (RFC 8693)?
[[clients]]
id = "demo-api"
name = "Demo Notes"
profile = "resource-server"
introspects = ["http://{api}"]
grant_types = ["urn:ietf:params:oauth:grant-type:token-exchange"]
exchange = [{{ from = "http://{api}", to = ["http://{api}"] }}]
scopes = ["notes:read"]
resources = ["http://{api}"]
secret_file = '{folder}/demo-api.secret'
"#
        ))
    }

    /// The same for a script.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "issuer": self.issuer(),
            "single_page_app": format!("http://{}/", self.app()),
            "web_app": format!("http://{}/", self.web()),
            "resource_server": format!("http://{}", self.api()),
            "username": USER,
            "password_file": self.password_file(),
            "folder": self.folder,
        })
    }

    /// What a person reads once everything runs.
    pub(super) fn told(&self, with_examples: bool) -> String {
        let issuer = self.issuer();
        let secret = |client: &str| format!("\"$(cat '{}')\"", self.secret_file(client).display());
        let password = fs::read_to_string(self.password_file()).unwrap_or_default();
        let (service, by_password, by_api) =
            (secret("demo-service"), secret("demo-password"), secret("demo-api"));
        let apps = if with_examples {
            format!(
                "  single-page app   http://{}\n  web app           http://{}\n  resource server   http://{}/notes\n",
                self.app(),
                self.web(),
                self.api()
            )
        } else {
            "  (the demo applications are not beside this program: `make demo` builds them)\n".to_owned()
        };
        format!(
            "
Countersign runs. Everything it made lies in {folder}; Ctrl-C ends it.

  issuer            {issuer}
{apps}
  user              {USER}
  password          {password}

One way for each grant:

  # authorization code + PKCE: open http://{app} and sign in
  # renewal without a refresh token, in four ways: the menu in that app

  # authorization code with a secret, and refresh tokens: open http://{web}

  # client credentials
  curl -s -u demo-service:{service} -d grant_type=client_credentials -d scope=notes:read {issuer}/token

  # password, for the one client that is marked for it
  curl -s -u demo-password:{by_password} -d grant_type=password -d username={USER} \\
    --data-urlencode password@'{password_file}' -d scope='notes:read offline_access' {issuer}/token

  # refresh: put the refresh_token of that answer in
  curl -s -u demo-password:{by_password} -d grant_type=refresh_token -d refresh_token=… {issuer}/token

  # token exchange: for an access token, or an API token of {issuer}/account/tokens, a short-lived JWT that may do less
  curl -s -u demo-api:{by_api} -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange -d subject_token=… \
    -d subject_token_type=urn:ietf:params:oauth:token-type:access_token -d resource=http://{api} -d scope=notes:read {issuer}/token

  # what a token is (introspection), and the end of one that the client needs no more (revocation)
  curl -s -u demo-api:{by_api} -d token=… {issuer}/introspect
  curl -s -u demo-password:{by_password} -d token=… {issuer}/revoke

  # what the resource server says to a token
  curl -s -H \"Authorization: Bearer …\" http://{api}/notes
",
            folder = self.folder.display(),
            app = self.app(),
            web = self.web(),
            api = self.api(),
            password_file = self.password_file().display(),
        )
    }
}

/// A file that is readable by its owner alone, and keeps what it had. Tells whether it was made.
fn write_once(path: &Path, text: &str) -> Result<bool, Failure> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => Ok(file.write_all(text.as_bytes()).map(|()| true)?),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.into()),
    }
}
