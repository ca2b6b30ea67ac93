//! The suite: what stands outside of the issuer. A client that knows it by its discovery document alone, talks TLS to it,
//! registers itself, and judges the tokens by the published keys; and a user with a browser without JavaScript.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::base::Seconds;
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Map, Value, json};

use super::super::support::TestServer;
use super::super::support::assertions::ClientKey;
use super::super::support::http::{Answer, Browser, Client as Http, basic, form};
use super::super::support::outside::{Outside, Says};
use super::super::support::pages::{is_consent, is_login};
use super::super::support::registration::initial_token;
use super::super::support::server::{PASSWORD, Setup};
use super::checks;

/// Where the suite is redirected to.
pub const CALLBACK: &str = "https://suite.example/test/a/countersign/callback";
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The user of the suite has every claim, as whoever certifies is told to see to.
const CLAIMS: [(&str, &str); 18] = [
    ("given_name", "Alice"),
    ("family_name", "Example"),
    ("middle_name", "B."),
    ("nickname", "Al"),
    ("profile", "https://example.org/alice"),
    ("picture", "https://example.org/alice.png"),
    ("website", "https://example.org/"),
    ("gender", "female"),
    ("birthdate", "1990-01-31"),
    ("zoneinfo", "Europe/Berlin"),
    ("locale", "de-DE"),
    ("email_verified", "true"),
    ("phone_number", "+49301234567"),
    ("address.formatted", "Unter den Linden 1, 10117 Berlin"),
    ("address.street_address", "Unter den Linden 1"),
    ("address.locality", "Berlin"),
    ("address.postal_code", "10117"),
    ("address.country", "DE"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    Basic,
    FormPost,
}

/// The server under test, and the suite that knows it.
pub struct Suite {
    pub server: TestServer,
    /// Where the suite itself can be reached.
    pub outside: Outside,
    pub metadata: Map<String, Value>,
    pub jwks: JwkSet,
    pub http: Http,
    pub plan: Plan,
    initial_access_token: Option<String>,
    _folder: tempfile::TempDir,
}

/// A client as it was registered.
pub struct Registered {
    pub id: String,
    pub secret: String,
    /// How it authenticates.
    method: &'static str,
    pub told: Value,
}

/// An authorization request.
#[derive(Clone)]
pub struct Request(pub BTreeMap<String, String>);

impl Request {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// With something changed; an empty value leaves out.
    pub fn with(mut self, changes: &[(&str, &str)]) -> Self {
        for (name, value) in changes {
            if value.is_empty() {
                self.0.remove(*name);
            } else {
                self.0.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        self
    }

    pub fn form(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.0.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        form(&pairs)
    }

    /// The same with the last parameter first.
    fn reversed(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.0.iter().rev().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        form(&pairs)
    }
}

/// What arrives at an address of the suite.
#[derive(Debug)]
pub struct Callback {
    pub method: &'static str,
    /// Without its query.
    pub uri: String,
    pub query: BTreeMap<String, String>,
    pub form: BTreeMap<String, String>,
}

/// Where the user's browser ends.
#[derive(Debug)]
pub enum Landing {
    /// At the suite.
    Callback(Callback),
    /// At a page of the server.
    Page(Answer),
}

impl Landing {
    #[track_caller]
    pub fn callback(self) -> Callback {
        match self {
            Self::Callback(callback) => callback,
            Self::Page(page) => panic!("a page and no callback: {} {}", page.status, page.body),
        }
    }

    #[track_caller]
    pub fn page(self) -> Answer {
        match self {
            Self::Page(page) => page,
            Self::Callback(callback) => panic!("the suite was called: {callback:?}"),
        }
    }
}

/// Tokens that passed every check that each module makes.
pub struct Tokens {
    pub answer: Answer,
    pub access_token: String,
    pub id_token: String,
    pub header: Value,
    pub claims: Value,
}

impl Suite {
    pub fn of(plan: Plan) -> Self {
        Self::at(plan, "")
    }

    /// With an issuer that has a path.
    pub fn at(plan: Plan, path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outside = Outside::start(|_| Says::status(200));
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mode = if plan == Plan::Basic { "open" } else { "token" };
        let server = TestServer::with(Setup {
            https: true,
            server: format!("tls = {{ certificate_file = {certificate:?}, private_key_file = {key:?} }}"),
            path: path.to_owned(),
            // As docs/OPERATIONS.md has it for the suite, whose clients do no PKCE.
            extra: format!(
                "[registration]\nmode = \"{mode}\"\nrequire_pkce = false\nmax_per_address = 200\n{}",
                outside.toml(folder.path())
            ),
            ..Setup::default()
        });
        let mut alice = server.user("alice");
        for (name, value) in CLAIMS {
            alice.person.set(name, value).unwrap();
        }
        let update = move |conn: &mut _| countersign::store::users::update(conn, &alice);
        assert!(server.store().write("test user", update).unwrap());
        let initial_access_token =
            (plan == Plan::FormPost).then(|| initial_token(&server, Some(2), Seconds(600)).1);
        let http = Http::trusting(&server.issuer, &made.cert.pem());
        let discovery = http.get("/.well-known/openid-configuration");
        assert_eq!(discovery.status, 200, "{}", discovery.body);
        checks::is_json(&discovery);
        let metadata = discovery.json().as_object().unwrap().clone();
        let keys = http.get(metadata["jwks_uri"].as_str().unwrap());
        assert_eq!(keys.status, 200);
        checks::jwks(&keys.json());
        let jwks = serde_json::from_str(&keys.body).unwrap();
        Self { server, outside, metadata, jwks, http, plan, initial_access_token, _folder: folder }
    }

    /// An endpoint, from the discovery document.
    pub fn endpoint(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name} in the metadata"))
    }

    pub fn issuer(&self) -> &str {
        self.endpoint("issuer")
    }

    /// What the metadata lists under this name.
    pub fn lists(&self, name: &str) -> Vec<&str> {
        let list = self.metadata.get(name).map(|list| list.as_array().unwrap().iter());
        list.into_iter().flatten().map(|value| value.as_str().unwrap()).collect()
    }

    pub fn register(&self) -> Registered {
        self.register_with("client_secret_basic", json!({}))
    }

    /// Registers a client by POST, and checks what it is told.
    pub fn register_with(&self, method: &'static str, more: Value) -> Registered {
        let answer = self.try_register(method, more);
        checks::registration(self, &answer);
        let told = answer.json();
        Registered { id: answer.text("client_id"), secret: answer.text("client_secret"), method, told }
    }

    /// The least that the suite says of its clients, and these members.
    pub fn try_register(&self, method: &str, more: Value) -> Answer {
        let mut key = ClientKey::rsa("suite").public();
        (key["use"], key["alg"]) = (json!("sig"), json!("RS256"));
        let mut body = json!({
            "client_name": "OIDF Conformance Test",
            "grant_types": ["authorization_code"],
            "jwks": { "keys": [key] },
            "token_endpoint_auth_method": method,
            "response_types": ["code"],
            "redirect_uris": [CALLBACK],
            "contacts": ["certification@oidf.org"],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let bearer = self.initial_access_token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json"), ("accept", "application/json")];
        headers.extend(bearer.as_deref().map(|value| ("authorization", value)));
        self.http.send("POST", self.endpoint("registration_endpoint"), &headers, &body.to_string())
    }

    /// RFC 7592 §2.3.
    pub fn unregister(&self, client: &Registered) {
        let bearer = format!("Bearer {}", client.told["registration_access_token"].as_str().unwrap());
        let uri = client.told["registration_client_uri"].as_str().unwrap();
        let answer = self.http.send("DELETE", uri, &[("authorization", &bearer)], "");
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }

    pub fn request(&self, client: &Registered) -> Request {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let (state, nonce) = (format!("state{n:05}"), format!("nonce{n:05}"));
        let request = Request(BTreeMap::new()).with(&[
            ("client_id", &client.id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", &state),
            ("nonce", &nonce),
        ]);
        if self.plan == Plan::FormPost { request.with(&[("response_mode", "form_post")]) } else { request }
    }

    /// A user who has never been here.
    pub fn user(&self) -> User {
        User { browser: Browser::of(self.http.clone()), logins: 0, consents: 0 }
    }

    /// Sends the user to the authorization endpoint.
    pub fn authorize(&self, user: &mut User, request: &Request) -> Landing {
        user.visit(&format!("{}?{}", self.endpoint("authorization_endpoint"), request.form()))
    }

    pub fn authorize_reversed(&self, user: &mut User, request: &Request) -> Landing {
        user.visit(&format!("{}?{}", self.endpoint("authorization_endpoint"), request.reversed()))
    }

    /// `POST` to the token endpoint.
    pub fn token(&self, client: &Registered, pairs: &[(&str, &str)]) -> Answer {
        let mut pairs = pairs.to_vec();
        let authorization = basic(&client.id, &client.secret);
        let mut headers = vec![FORM, ("accept", "application/json")];
        match client.method {
            "client_secret_basic" => headers.push(("authorization", &authorization)),
            "client_secret_post" => {
                pairs.extend([("client_id", client.id.as_str()), ("client_secret", &client.secret)]);
            }
            other => panic!("{other}"),
        }
        self.http.send("POST", self.endpoint("token_endpoint"), &headers, &form(&pairs))
    }

    pub fn redeem(&self, client: &Registered, code: &str) -> Answer {
        self.token(client, &redemption(code))
    }

    pub fn userinfo(&self, method: &str, access_token: &str) -> Answer {
        let bearer = format!("Bearer {access_token}");
        let mut headers = vec![("authorization", bearer.as_str()), ("accept", "application/json")];
        headers.extend((method == "POST").then_some(FORM));
        self.http.send(method, self.endpoint("userinfo_endpoint"), &headers, "")
    }

    /// From a good callback to tokens and userinfo: what every module goes through.
    pub fn complete(&self, client: &Registered, request: &Request, callback: &Callback) -> Tokens {
        let code = checks::code(self, request, callback);
        self.judged(client, request, self.redeem(client, &code))
    }

    /// Checks the answer of the token endpoint, and lets userinfo see the access token.
    pub fn judged(&self, client: &Registered, request: &Request, answer: Answer) -> Tokens {
        checks::token_response(&answer);
        let id_token = answer.text("id_token");
        let (header, claims) = checks::id_token(self, client, request, &id_token);
        let access_token = answer.text("access_token");
        assert_eq!(self.userinfo("GET", &access_token).status, 200);
        Tokens { access_token, id_token, header, claims, answer }
    }

    /// The whole flow of a request.
    pub fn flow(&self, client: &Registered, user: &mut User, request: &Request) -> Tokens {
        let callback = self.authorize(user, request).callback();
        self.complete(client, request, &callback)
    }
}

pub fn redemption(code: &str) -> [(&str, &str); 3] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)]
}

/// A state of 128 characters, with what a JWT may have.
pub fn long_state() -> String {
    format!("{}-._~", "a1B2".repeat(31))
}

/// A user at a browser, who signs in and agrees where asked.
pub struct User {
    pub browser: Browser,
    /// How often they had to sign in.
    pub logins: usize,
    pub consents: usize,
}

impl User {
    pub fn visit(&mut self, url: &str) -> Landing {
        let answer = self.browser.get(url);
        self.go_on(answer)
    }

    /// As the form of another site does it: the browser sends no cookie of this server along.
    pub fn post(&mut self, url: &str, body: &str) -> Landing {
        let answer = self.browser.client.send("POST", url, &[FORM], body);
        self.go_on(answer)
    }

    fn go_on(&mut self, answer: Answer) -> Landing {
        let mut answer = self.browser.follow(answer);
        if is_login(&answer) {
            self.logins += 1;
            answer = self.browser.log_in(&answer, "alice", PASSWORD);
        }
        if is_consent(&answer) {
            self.consents += 1;
            answer = self.browser.decide(&answer, "allow");
        }
        landing(answer)
    }

    /// Answers the question whether to sign out.
    pub fn sign_out(&mut self, page: &Answer) -> Landing {
        landing(self.browser.decide(page, "logout"))
    }
}

fn landing(answer: Answer) -> Landing {
    if let Some(location) = answer.header("location") {
        assert_eq!(answer.status, 303, "{answer:?}");
        return Landing::Callback(called("GET", location, BTreeMap::new()));
    }
    // The form of `form_post` is the only one that leaves the server.
    match answer.body.split_once("<form method=\"post\" action=\"https://") {
        None => Landing::Page(answer),
        Some((_, rest)) => {
            assert_eq!(answer.status, 200, "{answer:?}");
            let (to, rest) = rest.split_once("\">").unwrap();
            let fields = rest.split_once("</form>").unwrap().0;
            let fields = fields.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
                let (name, rest) = field.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescaped(rest.split_once('"').unwrap().0))
            });
            Landing::Callback(called("POST", &format!("https://{}", unescaped(to)), fields.collect()))
        }
    }
}

fn called(method: &'static str, url: &str, form: BTreeMap<String, String>) -> Callback {
    let mut url = url::Url::parse(url).unwrap();
    assert_eq!(url.fragment(), None, "{url}");
    let query = url.query_pairs().into_owned().collect();
    url.set_query(None);
    Callback { method, uri: url.into(), query, form }
}

fn unescaped(text: &str) -> String {
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
