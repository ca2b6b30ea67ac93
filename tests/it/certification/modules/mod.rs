//! The modules that Basic OP and Form Post OP have in common: the list, which makes a test of each for a plan.

pub mod claims;
pub mod code_flow;
pub mod login;
pub mod parameters;
pub mod request_objects;

/// A test for each of these modules.
macro_rules! tests {
    ($plan:expr; $($file:ident: $($module:ident)+;)+) => {$($(
        #[test]
        fn $module() {
            $file::$module($plan);
        }
    )+)+};
}
pub(super) use tests;

/// In the order of the plan, as far as the files allow.
macro_rules! of_plan {
    ($plan:expr) => {
        super::modules::tests! { $plan;
            code_flow:
                oidcc_server
                oidcc_response_type_missing
                oidcc_idtoken_signature
                oidcc_idtoken_unsigned
                oidcc_ensure_request_without_nonce_succeeds_for_code_flow
                oidcc_codereuse
                oidcc_codereuse_30seconds
                oidcc_ensure_post_request_succeeds
                oidcc_server_client_secret_post
                oidcc_ensure_request_with_valid_pkce_succeeds
                oidcc_refresh_token;
            claims:
                oidcc_userinfo_get
                oidcc_userinfo_post_header
                oidcc_userinfo_post_body
                oidcc_scope_profile
                oidcc_scope_email
                oidcc_scope_address
                oidcc_scope_phone
                oidcc_scope_all
                oidcc_ensure_other_scope_order_succeeds
                oidcc_alternate_happy_flow
                oidcc_claims_essential;
            parameters:
                oidcc_display_page
                oidcc_display_popup
                oidcc_ensure_request_with_unknown_parameter_succeeds
                oidcc_login_hint
                oidcc_ui_locales
                oidcc_claims_locales
                oidcc_ensure_request_with_acr_values_succeeds
                oidcc_ensure_registered_redirect_uri;
            login:
                oidcc_prompt_login
                oidcc_prompt_none_not_logged_in
                oidcc_prompt_none_logged_in
                oidcc_max_age_1
                oidcc_max_age_10000
                oidcc_id_token_hint;
            request_objects:
                oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported
                oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported
                oidcc_ensure_request_object_with_redirect_uri;
        }
    };
}
pub(super) use of_plan;
