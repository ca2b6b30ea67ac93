//! openidconnect, the crate: discovery, registration, code flow, refresh, userinfo, introspection, logout.

use std::time::Duration;

use countersign::base::Seconds;
use openidconnect::core::{
    CoreApplicationType, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreGrantType, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreRegisterErrorResponseType, CoreResponseType,
    CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::registration::{
    AdditionalClientMetadata, ClientRegistrationRequest, ClientRegistrationResponse,
    EmptyAdditionalClientRegistrationResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientName,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IntrospectionUrl, IssuerUrl, LocalizedClaim, LogoutRequest, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError,
    Scope, TokenIntrospectionResponse as _, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use ureq::http::{Method, Request, header};

use super::{clients_and, server, walk};
use crate::support::TestServer;
use crate::support::http::{Browser, query_of};
use crate::support::registration::{self, initial_token};
use crate::support::server::{CALLBACK, NOTES, Setup, secret};

const BYE: &str = "https://app.example/bye";

/// What RP-Initiated Logout 1.0 §3.1 adds to a registration; the crate has no member for it.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct WithLogout {
    post_logout_redirect_uris: Vec<String>,
}

impl AdditionalClientMetadata for WithLogout {}

type Registration = ClientRegistrationRequest<
    WithLogout,
    EmptyAdditionalClientRegistrationResponse,
    CoreApplicationType,
    CoreClientAuthMethod,
    CoreRegisterErrorResponseType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Registered = ClientRegistrationResponse<
    WithLogout,
    EmptyAdditionalClientRegistrationResponse,
    CoreApplicationType,
    CoreClientAuthMethod,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The crate's door for an HTTP client of one's own. Whatever it is answered says rightly what it is.
fn http(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent();
    let (parts, body) = request.into_parts();
    let response = match parts.method {
        Method::GET => agent.run(Request::from_parts(parts, ())),
        _ => agent.run(Request::from_parts(parts, body)),
    }?;
    let (parts, mut body) = response.into_parts();
    let body = body.read_to_vec()?;
    let kind = parts.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
    match body.first() {
        None => assert_eq!(kind, None),
        Some(b'{') => assert_eq!(kind, Some("application/json")),
        Some(_) => assert_eq!(kind, Some("application/jwt")),
    }
    Ok(HttpResponse::from_parts(parts, body))
}

fn discover(server: &TestServer) -> ProviderMetadataWithLogout {
    let issuer = IssuerUrl::new(server.issuer.clone()).unwrap();
    ProviderMetadataWithLogout::discover(&issuer, &http).unwrap()
}

fn client(server: &TestServer, id: &str, secret: Option<&str>) -> Client {
    let introspection = format!("{}{}", server.issuer, countersign::http::paths::INTROSPECT);
    CoreClient::from_provider_metadata(
        discover(server),
        ClientId::new(id.to_owned()),
        secret.map(|secret| ClientSecret::new(secret.to_owned())),
    )
    .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap())
    .set_introspection_url(IntrospectionUrl::new(introspection).unwrap())
}

fn registration() -> Registration {
    let redirect_uri = RedirectUrl::new(CALLBACK.to_owned()).unwrap();
    let name = ClientName::new("A client that came by itself".to_owned());
    Registration::new(vec![redirect_uri], WithLogout { post_logout_redirect_uris: vec![BYE.to_owned()] })
        .set_client_name(Some(LocalizedClaim::from(name)))
        .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
}

fn register(server: &TestServer, request: &Registration) -> Registered {
    request.register(discover(server).registration_endpoint().unwrap(), &http).unwrap()
}

fn client_of(server: &TestServer, registered: &Registered) -> Client {
    let secret = registered.client_secret().map(|secret| secret.secret().as_str());
    client(server, registered.client_id(), secret)
}

/// What the code flow brings, the ID token looked at by the crate.
struct SignedIn {
    access: AccessToken,
    refresh: Option<openidconnect::RefreshToken>,
    id_token: CoreIdToken,
    subject: openidconnect::SubjectIdentifier,
}

fn sign_in(client: &Client, browser: &mut Browser, scopes: &[&str]) -> SignedIn {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let back = walk(browser, url.as_str());
    let told = query_of(back.location());
    assert_eq!(&told["state"], state.secret());
    let code = AuthorizationCode::new(told["code"].clone());
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request(&http).unwrap();

    let id_token = tokens.id_token().expect("no ID token").clone();
    let verifier: CoreIdTokenVerifier<'_> = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    id_token.claims(&verifier, &Nonce::new_random()).expect_err("the nonce is not looked at");
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&verifier).unwrap(),
    );
    assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));
    SignedIn {
        access: tokens.access_token().clone(),
        refresh: tokens.refresh_token().cloned(),
        subject: claims.subject().clone(),
        id_token,
    }
}

fn user_info(client: &Client, signed_in: &SignedIn, is_signed: bool) -> CoreUserInfoClaims {
    let request = client.user_info(signed_in.access.clone(), Some(signed_in.subject.clone())).unwrap();
    request.require_signed_response(is_signed).request::<_, CoreGenderClaim, _>(&http).unwrap()
}

fn email(told: &CoreUserInfoClaims) -> Option<&str> {
    told.email().map(|email| email.as_str())
}

#[test]
fn a_client_that_registers_itself_signs_a_user_in_and_out() {
    let server = server(registration::setup("mode = \"token\""));
    let (_, token) = initial_token(&server, Some(1), Seconds(600));
    let endpoint = discover(&server);
    let endpoint = endpoint.registration_endpoint().unwrap();
    registration().register(endpoint, &http).expect_err("nobody registers without a token");

    let request = registration().set_initial_access_token(Some(AccessToken::new(token)));
    let registered = register(&server, &request);
    assert_eq!(registered.additional_metadata().post_logout_redirect_uris, [BYE]);
    assert!(registered.registration_access_token().is_some());
    let client = client_of(&server, &registered);

    let mut browser = server.browser();
    let signed_in = sign_in(&client, &mut browser, &["profile", "email", "offline_access"]);
    assert_eq!(email(&user_info(&client, &signed_in, false)), Some("alice@example.org"));

    let refresh = signed_in.refresh.as_ref().expect("no refresh token");
    let renewed = client.exchange_refresh_token(refresh).unwrap().request(&http).unwrap();
    assert_ne!(renewed.refresh_token().unwrap().secret(), refresh.secret());
    assert_ne!(renewed.access_token().secret(), signed_in.access.secret());
    // OpenID Connect Core 1.0 §12.2: it "SHOULD NOT have a nonce Claim".
    let without = |nonce: Option<&Nonce>| nonce.map_or(Ok(()), |_| Err("a nonce".to_owned()));
    let verifier: CoreIdTokenVerifier<'_> = client.id_token_verifier();
    let claims = renewed.id_token().unwrap().claims(&verifier, without).unwrap();
    assert_eq!(claims.subject(), &signed_in.subject);

    let end = discover(&server).additional_metadata().end_session_endpoint.clone().unwrap();
    let url = LogoutRequest::from(end)
        .set_id_token_hint(&signed_in.id_token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(BYE.to_owned()).unwrap())
        .set_state(CsrfToken::new("a state".to_owned()))
        .http_get_url();
    assert_eq!(walk(&mut browser, url.as_str()).location(), format!("{BYE}?state=a%20state"));
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let (challenge, _) = PkceCodeChallenge::new_random_sha256();
    let (url, ..) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .set_pkce_challenge(challenge)
        .add_prompt(openidconnect::core::CoreAuthPrompt::None)
        .url();
    assert_eq!(walk(&mut browser, url.as_str()).sent("error").as_deref(), Some("login_required"));
}

/// Each way of signing an ID token that the crate knows. It takes userinfo that is signed by RS256 alone.
#[test]
fn tokens_and_userinfo_are_signed_as_the_client_registered() {
    let server = server(Setup {
        keys: "algorithms = [\"ES256\", \"RS256\", \"PS256\", \"EdDSA\"]\n".to_owned(),
        ..registration::setup("mode = \"open\"")
    });
    for alg in [
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::EdDsa,
    ] {
        let request = registration()
            .set_token_endpoint_auth_method(Some(CoreClientAuthMethod::ClientSecretPost))
            .set_id_token_signed_response_alg(Some(alg.clone()))
            .set_userinfo_signed_response_alg(Some(CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256));
        let registered = register(&server, &request);
        let client = client_of(&server, &registered).set_auth_type(AuthType::RequestBody);
        let signed_in = sign_in(&client, &mut server.browser(), &["email"]);
        assert_eq!(signed_in.id_token.signing_alg().unwrap(), &alg);
        assert_eq!(email(&user_info(&client, &signed_in, true)), Some("alice@example.org"), "{alg:?}");
    }
}

#[test]
fn a_public_client_gets_a_token_for_an_api_and_no_refresh_token() {
    let server = server(Setup::default());
    let client = client(&server, "app", None);
    let signed_in = sign_in(&client, &mut server.browser(), &["notes:read", "offline_access"]);
    assert!(signed_in.refresh.is_none());
    let (_, claims) = crate::support::jwt::verified(&server, signed_in.access.secret(), NOTES);
    assert_eq!(claims["scope"], "openid notes:read");
}

#[test]
fn a_resource_server_looks_a_token_up() {
    let more = "\n[[clients]]\nid = \"notes\"\nname = \"Notes\"\nprofile = \"resource-server\"\n\
                introspects = [\"https://notes.example\"]\nsecret_hash = \"SECRET_HASH:notes\"\n";
    let server = server(clients_and(more));
    let service = client(&server, "service", Some(&secret("service")));
    let tokens = service
        .exchange_client_credentials()
        .unwrap()
        .add_scope(Scope::new("notes:read".to_owned()))
        .request(&http)
        .unwrap();
    let notes = client(&server, "notes", Some(&secret("notes")));
    let told = notes.introspect(tokens.access_token()).request(&http).unwrap();
    assert!(told.active());
    assert_eq!(told.client_id().map(|id| id.as_str()), Some("service"));
    assert_eq!(told.scopes().map(Vec::len), Some(1));
    let unknown = AccessToken::new("unknown".to_owned());
    assert!(!notes.introspect(&unknown).request(&http).unwrap().active());

    let stranger = client(&server, "service", Some("not its secret"));
    let error = stranger.exchange_client_credentials().unwrap().request(&http).unwrap_err();
    let RequestTokenError::ServerResponse(told) = error else { panic!("{error:?}") };
    assert_eq!(told.error(), &CoreErrorResponseType::InvalidClient);
}
