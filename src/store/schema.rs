//! The tables, as `migrations/` makes them; a test compares the two on both databases.

#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "diesel's table! makes the items")]

diesel::table! {
    config_revision (id) {
        id -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        algorithm -> Text,
        public_jwk -> Text,
        sealed_private -> Text,
        created_at -> BigInt,
        published_at -> BigInt,
        activated_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
        remove_at -> Nullable<BigInt>,
        longest_token_s -> BigInt,
        compromised_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        name -> Text,
        profile -> Text,
        grant_types -> Text,
        redirect_uris -> Text,
        post_logout_redirect_uris -> Text,
        scope -> Text,
        resources -> Text,
        skip_consent -> Bool,
        require_pkce -> Bool,
        access_token_ttl_s -> Nullable<BigInt>,
        allow_long_access_tokens -> Bool,
        refresh_token_ttl_s -> Nullable<BigInt>,
        declared -> Bool,
        disabled_at -> Nullable<BigInt>,
        created_at -> BigInt,
        refresh_token_idle_ttl_s -> Nullable<BigInt>,
        refresh_reuse_grace_s -> Nullable<BigInt>,
        origins -> Text,
        introspects -> Text,
        exchange -> Text,
        openid -> Text,
    }
}

diesel::table! {
    client_secrets (id) {
        id -> Text,
        client_id -> Text,
        hash -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        leaked -> Bool,
        sealed -> Nullable<Text>,
    }
}

diesel::table! {
    resource_servers (id) {
        id -> Text,
        name -> Text,
        scopes -> Text,
        access_token_ttl_s -> Nullable<BigInt>,
        allow_long_access_tokens -> Bool,
        signing_algorithm -> Nullable<Text>,
        include_roles -> Bool,
        declared -> Bool,
        created_at -> BigInt,
        user_api_tokens -> Bool,
        token_format -> Text,
        encryption -> Nullable<Text>,
        claims -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        username -> Text,
        display_name -> Nullable<Text>,
        email -> Nullable<Text>,
        password_hash -> Text,
        locked_at -> Nullable<BigInt>,
        created_at -> BigInt,
        person -> Text,
        attributes -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    roles (name) {
        name -> Text,
        description -> Text,
        declared -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    user_roles (user_id, role) {
        user_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        token_hash -> Text,
        user_id -> Text,
        authenticated_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        started_at -> Nullable<BigInt>,
        remembered -> Bool,
        browser -> Nullable<Text>,
    }
}

diesel::table! {
    session_clients (session_id, client_id) {
        session_id -> Text,
        client_id -> Text,
        knows_user -> Bool,
    }
}

diesel::table! {
    consents (user_id, client_id, resource) {
        user_id -> Text,
        client_id -> Text,
        resource -> Text,
        scope -> Text,
        granted_at -> BigInt,
    }
}

diesel::table! {
    authorizations (id) {
        id -> Text,
        client_id -> Text,
        user_id -> Text,
        session_id -> Nullable<Text>,
        scope -> Text,
        resources -> Text,
        authenticated_at -> BigInt,
        nonce -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_because -> Nullable<Text>,
        request -> Nullable<Text>,
    }
}

diesel::table! {
    codes (hash) {
        hash -> Text,
        authorization_id -> Text,
        client_id -> Text,
        redirect_uri -> Text,
        redirect_uri_given -> Bool,
        challenge -> Nullable<Text>,
        expires_at -> BigInt,
        redeemed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    pairwise_salt (id) {
        id -> BigInt,
        salt -> Text,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        authorization_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        successor_key -> Nullable<Text>,
    }
}

diesel::table! {
    denied_tokens (jti) {
        jti -> Text,
        revision -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    opaque_tokens (id) {
        id -> Text,
        hash -> Text,
        client_id -> Text,
        authorization_id -> Nullable<Text>,
        claims -> Text,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        hash -> Text,
        user_id -> Nullable<Text>,
        client_id -> Nullable<Text>,
        name -> Text,
        scope -> Text,
        resources -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        revoked_because -> Nullable<Text>,
    }
}

diesel::table! {
    throttles (key) {
        key -> Text,
        failures -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    used_jtis (purpose, jti) {
        purpose -> Text,
        jti -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    registrations (client_id) {
        client_id -> Text,
        token_hash -> Text,
        sealed_secret -> Nullable<Text>,
        metadata -> Text,
        initial_token -> Nullable<Text>,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        unused_until -> Nullable<BigInt>,
        token_revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    initial_access_tokens (id) {
        id -> Text,
        hash -> Text,
        name -> Text,
        max_uses -> Nullable<BigInt>,
        uses -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    logout_deliveries (id) {
        id -> Text,
        client_id -> Text,
        session_id -> Text,
        user_id -> Text,
        attempts -> BigInt,
        next_attempt_at -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    config_revision,
    signing_keys,
    clients,
    client_secrets,
    resource_servers,
    users,
    roles,
    user_roles,
    sessions,
    session_clients,
    consents,
    authorizations,
    codes,
    pairwise_salt,
    refresh_tokens,
    denied_tokens,
    opaque_tokens,
    api_tokens,
    throttles,
    used_jtis,
    registrations,
    initial_access_tokens,
    logout_deliveries,
);
