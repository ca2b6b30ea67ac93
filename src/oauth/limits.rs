//! The longest value of each parameter, in bytes; checked before anything is looked up.
//!
//! RFC 6749 leaves sizes open: these are far above what clients send and far below what hurts.

/// The longest client id.
pub const MAX_CLIENT_ID_BYTES: usize = 256;
/// The longest client secret.
pub const MAX_CLIENT_SECRET_BYTES: usize = 1024;
/// The longest token that is read.
pub const MAX_TOKEN_BYTES: usize = 16_384;
/// The largest body that an operator can allow (`server.max_body_bytes`).
pub const MAX_BODY_BYTES: usize = 1_048_576;

/// The longest accepted value of the parameter `name`; none where no endpoint and no page of this server knows it.
#[must_use]
pub fn max_length(name: &str) -> Option<usize> {
    Some(match name {
        "max_age" | "days" => 10,
        "response_type"
        | "response_mode"
        | "code_challenge_method"
        | "prompt"
        | "display"
        | "decision"
        | "id" => 64,
        "grant_type" | "code_challenge" | "code_verifier" => 128,
        "client_id" => MAX_CLIENT_ID_BYTES,
        "username" | "login_hint" | "csrf" => 256,
        "nonce" | "resource" | "audience" | "logout_hint" => 512,
        "client_secret" => MAX_CLIENT_SECRET_BYTES,
        "password" | "new_password" | "new_password_again" | "acr_values" => 1024,
        // Far above what their rules allow, so that the form can say what is wrong with them.
        "new_username" | "display_name" | "email" => 1024,
        "redirect_uri" | "post_logout_redirect_uri" | "state" | "scope" => 2048,
        "claims"
        | "client_assertion_type"
        | "subject_token_type"
        | "actor_token_type"
        | "requested_token_type"
        | "token_type_hint"
        | "ui_locales"
        | "claims_locales"
        | "registration" => 4096,
        "account" | "changed" | "end" | "name" | "remember" => 4096,
        // A token of another kind is a wrong one, not a malformed request.
        "code" | "refresh_token" | "client_assertion" | "id_token_hint" | "access_token"
        | "subject_token" | "actor_token" => MAX_TOKEN_BYTES,
        // OpenID Connect Core 1.0 §6.1: whatever the request object is, the answer is that none is supported. What a page of
        // ours sends by the first of these names is a sealed text, and the sealer has a limit of its own.
        "request" | "request_uri" => usize::MAX,
        // Whatever was shown to a resource server, which asks to learn that it is none (RFC 7662 §2.2).
        "token" => MAX_BODY_BYTES,
        _ => return None,
    })
}

/// Whether the authorization endpoint knows a parameter. RFC 6749 §3.1: "The authorization server MUST ignore unrecognized
/// request parameters", those that other endpoints and pages know among them.
#[must_use]
pub fn is_of_authorization(name: &str) -> bool {
    matches!(
        name,
        "response_type"
            | "response_mode"
            | "client_id"
            | "redirect_uri"
            | "scope"
            | "state"
            | "nonce"
            | "code_challenge"
            | "code_challenge_method"
            | "resource"
            | "prompt"
            | "max_age"
            | "display"
            | "ui_locales"
            | "claims_locales"
            | "id_token_hint"
            | "login_hint"
            | "acr_values"
            | "claims"
            | "registration"
            | "request"
            | "request_uri"
    )
}

/// The most parameters of one request.
pub const MAX_PARAMETERS: usize = 64;
/// The most `resource` values of one request (RFC 8707 §2 allows several), and `audience` values likewise.
pub const MAX_RESOURCES: usize = 8;
