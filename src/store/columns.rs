//! What columns there are: as the database says, and as `schema.rs` expects. And whether its file is whole.

use diesel::RunQueryDsl as _;
use diesel::query_source::Column;
use diesel::sql_types::{Bool, Text};

use super::schema;
use super::{Conn, StoreError};

#[derive(diesel::QueryableByName)]
struct Described {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

#[derive(diesel::QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// `PRAGMA quick_check` says "ok", or what is wrong.
pub(super) fn damage(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let Conn::Sqlite(conn) = conn else { return Ok(None) };
    let said: Vec<Said> = diesel::sql_query("PRAGMA quick_check(1)").load(conn)?;
    Ok(said.into_iter().map(|line| line.quick_check).find(|line| line != "ok"))
}

pub(super) fn described(conn: &mut Conn) -> Result<Vec<(String, String, bool)>, StoreError> {
    let rows: Vec<Described> = match conn {
        Conn::Sqlite(conn) => diesel::sql_query(
            "SELECT m.name AS table_name, p.name AS column_name, p.\"notnull\" = 0 AS nullable \
             FROM sqlite_master m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
        )
        .load(conn)?,
        Conn::Postgres(conn) => diesel::sql_query(
            "SELECT table_name::text, column_name::text, is_nullable = 'YES' AS nullable \
             FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%'",
        )
        .load(conn)?,
    };
    let mut columns: Vec<_> = rows.into_iter().map(|r| (r.table_name, r.column_name, r.nullable)).collect();
    columns.sort();
    Ok(columns)
}

/// The columns of a tuple of columns, with whether each may be NULL.
trait Columns {
    fn list(into: &mut Vec<(String, bool)>);
}

trait Nullability {
    const NULLABLE: bool;
}
impl Nullability for diesel::sql_types::is_nullable::IsNullable {
    const NULLABLE: bool = true;
}
impl Nullability for diesel::sql_types::is_nullable::NotNull {
    const NULLABLE: bool = false;
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name),+> Columns for ($($name,)+)
        where
            $($name: Column,
              <$name as diesel::Expression>::SqlType: diesel::sql_types::SqlType,
              <<$name as diesel::Expression>::SqlType as diesel::sql_types::SqlType>::IsNull: Nullability,)+
        {
            fn list(into: &mut Vec<(String, bool)>) {
                $(into.push((
                    $name::NAME.to_owned(),
                    <<<$name as diesel::Expression>::SqlType as diesel::sql_types::SqlType>::IsNull as Nullability>::NULLABLE,
                ));)+
            }
        }
    };
}
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V);

/// Calls a macro with the names of all tables.
macro_rules! each_table {
    ($call:ident) => {
        $call!(config_revision signing_keys clients client_secrets resource_servers users roles user_roles sessions
               session_clients consents authorizations codes refresh_tokens denied_tokens opaque_tokens api_tokens
               throttles used_jtis pairwise_salt registrations initial_access_tokens logout_deliveries)
    };
}
pub(super) use each_table;

pub(super) fn expected() -> Vec<(String, String, bool)> {
    fn of<T: diesel::Table>(name: &str, into: &mut Vec<(String, String, bool)>)
    where
        T::AllColumns: Columns,
    {
        let mut columns = Vec::new();
        T::AllColumns::list(&mut columns);
        into.extend(columns.into_iter().map(|(column, nullable)| (name.to_owned(), column, nullable)));
    }
    let mut all = Vec::new();
    macro_rules! tables {
        ($($table:ident)+) => { $(of::<schema::$table::table>(stringify!($table), &mut all);)+ };
    }
    each_table!(tables);
    all.sort();
    all
}
