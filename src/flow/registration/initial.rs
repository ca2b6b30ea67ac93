//! Initial access tokens (RFC 7591 §3), as an operator makes and revokes them.

use crate::base::{Entropy, PlainToken, Timestamp, TokenKind};
use crate::domain::registration::InitialWish;
use crate::domain::{InitialAccessToken, Problem};
use crate::store::{Store, StoreError, initial_access_tokens};

/// Why no token was made or revoked.
#[derive(Debug)]
pub enum InitialFault {
    /// What was given breaks rules.
    Problems(Vec<Problem>),
    /// There is no such token that counts.
    Unknown,
    /// The database failed.
    Store(StoreError),
}

impl std::fmt::Display for InitialFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(problems) => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join("; "))
            }
            Self::Unknown => {
                f.write_str("there is no token of this id that counts: countersign registration token list")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InitialFault {}

impl From<StoreError> for InitialFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes a token: as it is stored, and for whoever is to register.
///
/// # Errors
/// See [`InitialFault`].
pub fn make_initial_token(
    store: &Store,
    wish: InitialWish,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(InitialAccessToken, PlainToken), InitialFault> {
    wish.check().map_err(InitialFault::Problems)?;
    let plain = PlainToken::random(TokenKind::InitialAccess, entropy).map_err(StoreError::from)?;
    let token = InitialAccessToken {
        id: plain.id().to_owned(),
        hash: plain.hash(),
        name: wish.name,
        max_uses: wish.max_uses,
        uses: 0,
        created_at: now,
        expires_at: now + wish.lives_for,
        revoked_at: None,
    };
    let stored = token.clone();
    store.write("make an initial access token", move |conn| initial_access_tokens::insert(conn, &stored))?;
    tracing::info!(
        target: "countersign::security", event = "initial_access_token_made",
        id = token.id, "an initial access token was made"
    );
    Ok((token, plain))
}

/// Revokes a token. The clients that it let in stay.
///
/// # Errors
/// See [`InitialFault`].
pub fn revoke_initial_token(store: &Store, id: &str, now: Timestamp) -> Result<(), InitialFault> {
    let wanted = id.to_owned();
    let revoked = store.write("revoke an initial access token", move |conn| {
        initial_access_tokens::revoke(conn, &wanted, now)
    })?;
    if !revoked {
        return Err(InitialFault::Unknown);
    }
    tracing::info!(
        target: "countersign::security", event = "initial_access_token_revoked",
        id, "an initial access token was revoked"
    );
    Ok(())
}
