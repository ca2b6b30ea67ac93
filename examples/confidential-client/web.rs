//! The pages, and the two cookies: one for the way to the issuer and back, one for those who are signed in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, block};
use actix_web::{Error, HttpRequest, HttpResponse};
use url::Url;

use crate::id_token::{self, Expected};
use crate::oauth::{Answer, Client, LoginRequest, Trouble};
use crate::page;
use crate::session::{SignedIn, Store};

const LOGIN_LIFE: Duration = Duration::from_secs(600);
const SESSION_LIFE: Duration = Duration::from_secs(8 * 3600);
const LOGIN_COOKIE: &str = "demo-web-login";
const SESSION_COOKIE: &str = "demo-web-session";

/// What the handlers share.
pub(crate) struct Site {
    client: Client,
    /// The origin of this app, as browsers see it.
    public_url: String,
    logins: Store<LoginRequest>,
    sessions: Store<Arc<SignedIn>>,
}

impl Site {
    pub(crate) fn new(client: Client, public_url: String) -> Self {
        Self { client, public_url, logins: Store::new(LOGIN_LIFE), sessions: Store::new(SESSION_LIFE) }
    }

    /// Over https the name begins with `__Host-`, so that no other host of the same domain can set or read the cookie.
    fn cookie_name(&self, name: &str) -> String {
        if self.is_https() { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// `Lax`, not `Strict`: the issuer's redirect to `/callback` must bring the login cookie along.
    fn set_cookie(&self, name: &str, value: &str, life: Duration) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let (name, life_s) = (self.cookie_name(name), life.as_secs());
        format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}")
    }

    fn cookie<'a>(&self, request: &'a HttpRequest, name: &str) -> Option<&'a str> {
        let name = self.cookie_name(name);
        let headers = request.headers().get_all(COOKIE).filter_map(|header| header.to_str().ok());
        let mut pairs =
            headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    fn session(&self, request: &HttpRequest) -> Option<Arc<SignedIn>> {
        self.sessions.get(self.cookie(request, SESSION_COOKIE)?, Instant::now())
    }

    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// For every answer. No `form-action`: it would rule the redirect after the form too, and `/logout` ends at the issuer.
pub(crate) fn headers() -> DefaultHeaders {
    let policy = format!(
        "default-src 'none'; style-src {}; frame-ancestors 'none'; base-uri 'none'",
        page::style_hash()
    );
    DefaultHeaders::new()
        .add((CONTENT_SECURITY_POLICY, policy))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((CACHE_CONTROL, "no-store"))
}

/// `GET /`
pub(crate) async fn home(request: HttpRequest, site: Data<Site>) -> HttpResponse {
    html(StatusCode::OK, page::home(site.session(&request).as_deref()))
}

/// `GET /login`: off to the issuer.
pub(crate) async fn login(site: Data<Site>) -> Result<HttpResponse, Error> {
    let begun = block({
        let site = site.clone();
        move || {
            let login = LoginRequest::new()?;
            let url = site.client.authorization_url(&login)?;
            Ok((url, site.logins.keep(login, Instant::now())?))
        }
    });
    Ok(match begun.await? {
        Ok((url, name)) => HttpResponse::SeeOther()
            .insert_header((LOCATION, url))
            .insert_header((SET_COOKIE, site.set_cookie(LOGIN_COOKIE, &name, LOGIN_LIFE)))
            .finish(),
        Err(trouble) => failed(StatusCode::BAD_GATEWAY, &trouble),
    })
}

/// `GET /callback`: back from the issuer.
pub(crate) async fn callback(request: HttpRequest, site: Data<Site>) -> Result<HttpResponse, Error> {
    // Taken, not read: whatever comes of this answer, there is no second one.
    let login = site.cookie(&request, LOGIN_COOKIE).and_then(|name| site.logins.take(name, Instant::now()));
    let Some(login) = login else {
        let text = "This login was not begun in this browser, was finished already, or took too long.";
        return Ok(failed(StatusCode::BAD_REQUEST, &Trouble::Other(text.to_owned())));
    };
    let query = request.query_string().to_owned();
    let finished = block({
        let site = site.clone();
        move || finish_login(&site.client, &query, &login)
    });
    Ok(match finished.await?.and_then(|signed_in| site.sessions.keep(Arc::new(signed_in), Instant::now())) {
        // A new name for the session, never one that the browser brought along (session fixation).
        Ok(name) => HttpResponse::SeeOther()
            .insert_header((LOCATION, "/"))
            .append_header((SET_COOKIE, site.set_cookie(LOGIN_COOKIE, "", Duration::ZERO)))
            .append_header((SET_COOKIE, site.set_cookie(SESSION_COOKIE, &name, SESSION_LIFE)))
            .finish(),
        Err(trouble) => failed(StatusCode::BAD_REQUEST, &trouble),
    })
}

fn finish_login(client: &Client, query: &str, login: &LoginRequest) -> Result<SignedIn, Trouble> {
    let mut tokens = client.redeem(&Answer::parse(query)?, login)?;
    let refuse = |why: &str| Trouble::Other(format!("The ID token is not accepted: {why}."));
    let id_token = tokens.id_token.take().ok_or_else(|| refuse("there is none; is openid in the scope?"))?;
    let jwks = client.get_json(&client.metadata()?.jwks_uri, None)?;
    let settings = &client.settings;
    let expected = Expected { issuer: &settings.issuer, client_id: &settings.client_id, nonce: &login.nonce };
    let claims = id_token::verify(&id_token, &jwks, &expected).map_err(refuse)?;
    // OpenID Connect Core §5.4: what the scopes bear is told there; the ID token says by `sub` alone who it is.
    let person = client.userinfo(&tokens.access_token)?;
    // OpenID Connect Core §5.3.2: otherwise the claims "MUST NOT be used".
    if person["sub"] != claims["sub"] {
        return Err(Trouble::Other(
            "The issuer tells of somebody else than the one who signed in.".to_owned(),
        ));
    }
    Ok(SignedIn::new(claims, person, id_token, tokens))
}

/// `GET /notes`: the API's answer, with this app's token for it.
pub(crate) async fn notes(request: HttpRequest, site: Data<Site>) -> Result<HttpResponse, Error> {
    let Some(session) = site.session(&request) else {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish());
    };
    let answer = block({
        let site = site.clone();
        move || session.call_api(&site.client)
    });
    Ok(match answer.await? {
        Ok(answer) => html(StatusCode::OK, page::notes(&answer)),
        // The issuer has ended it: signed out there, revoked, or too old. So it ends here too.
        Err(trouble @ Trouble::Refused { .. }) if is_over(&trouble) => {
            end_session(&site, &request);
            html(StatusCode::UNAUTHORIZED, page::trouble(&format!("Please sign in again: {trouble}")))
        }
        Err(trouble) => failed(StatusCode::BAD_GATEWAY, &trouble),
    })
}

fn is_over(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused { code, .. } if code == "invalid_grant")
}

/// `POST /logout`: here first, then at the issuer. A form and not a link, so that no picture on another page can do it.
pub(crate) async fn logout(request: HttpRequest, site: Data<Site>) -> Result<HttpResponse, Error> {
    if !is_sent_from_here(&request, &site) {
        return Ok(html(StatusCode::FORBIDDEN, page::trouble("This request comes from another site.")));
    }
    let ended = end_session(&site, &request);
    let to = block({
        let site = site.clone();
        move || ended.and_then(|session| end_session_url(&site, &session.id_token))
    });
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, to.await?.unwrap_or_else(|| "/".to_owned())))
        .insert_header((SET_COOKIE, site.set_cookie(SESSION_COOKIE, "", Duration::ZERO)))
        .finish())
}

/// Browsers say in Sec-Fetch-Site whose form it was. `Origin` is `null` on our own forms, since the pages say `no-referrer`
/// (Fetch standard §3.2.5), so it decides only where the other header is missing.
fn is_sent_from_here(request: &HttpRequest, site: &Site) -> bool {
    let text = |name: &str| request.headers().get(name).map(|value| value.as_bytes().to_vec());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(fetched), _) => fetched == b"same-origin",
        (None, origin) => origin.is_none_or(|origin| origin == site.public_url.as_bytes()),
    }
}

/// OpenID Connect RP-Initiated Logout 1.0 §2. `None` when the issuer has no such place, or is not to be reached.
fn end_session_url(site: &Site, id_token: &str) -> Option<String> {
    let endpoint = site.client.metadata().ok()?.end_session_endpoint.as_deref()?;
    let mut url = Url::parse(endpoint).ok()?;
    url.query_pairs_mut()
        .append_pair("id_token_hint", id_token)
        .append_pair("post_logout_redirect_uri", &format!("{}/", site.public_url));
    Some(url.into())
}

fn end_session(site: &Site, request: &HttpRequest) -> Option<Arc<SignedIn>> {
    site.sessions.take(site.cookie(request, SESSION_COOKIE)?, Instant::now())
}

fn failed(status: StatusCode, trouble: &Trouble) -> HttpResponse {
    html(status, page::trouble(&trouble.to_string()))
}

fn html(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}
