//! The longest value of each parameter, in bytes; checked before anything is looked up.
//!
//! RFC 6749 leaves sizes open: these are far above what clients send and far below what hurts.

/// The longest accepted value of the parameter `name`, in bytes.
#[must_use]
pub fn max_length(name: &str) -> usize {
    match name {
        "max_age" | "days" => 10,
        "response_type" | "response_mode" | "code_challenge_method" | "prompt" | "display" | "decision" => 64,
        "id" => 64,
        "grant_type" | "code_challenge" | "code_verifier" => 128,
        "client_id" | "username" | "code" | "refresh_token" | "login_hint" | "csrf" => 256,
        "nonce" | "resource" | "audience" | "logout_hint" => 512,
        "client_secret" | "password" | "new_password" | "new_password_again" | "acr_values" => 1024,
        // Far above what their rules allow, so that the form can say what is wrong with them.
        "new_username" | "display_name" | "email" => 1024,
        "redirect_uri" | "post_logout_redirect_uri" | "state" | "scope" => 2048,
        // As long as the longest token that is read.
        "client_assertion" | "id_token_hint" | "token" | "access_token" | "subject_token" | "actor_token" => {
            16_384
        }
        // OpenID Connect Core 1.0 §6.1: whatever the request object is, the answer is that none is supported. What a page of
        // ours sends by the first of these names is a sealed text, and the sealer has a limit of its own.
        "request" | "request_uri" => usize::MAX,
        _ => 4096,
    }
}

/// The most parameters of one request.
pub const MAX_PARAMETERS: usize = 64;
/// The longest parameter name, in bytes.
pub const MAX_NAME_BYTES: usize = 64;
/// The most `resource` values of one request (RFC 8707 §2 allows several), and `audience` values likewise.
pub const MAX_RESOURCES: usize = 8;
