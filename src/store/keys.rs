//! The table `signing_keys`.

use diesel::prelude::*;

use crate::base::Timestamp;
use crate::domain::key::KeyState;
use crate::domain::{ImpossibleRow, SigningKeyRecord};

use super::schema::signing_keys as table;
use super::{Conn, StoreError, revision};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = table, treat_none_as_null = true)]
struct Row {
    kid: String,
    algorithm: String,
    public_jwk: String,
    sealed_private: String,
    created_at: i64,
    published_at: i64,
    activated_at: Option<i64>,
    retired_at: Option<i64>,
    remove_at: Option<i64>,
}
