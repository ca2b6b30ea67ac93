//! `countersign user …`: accounts, their passwords and roles.

use std::io::{IsTerminal as _, Read as _};

use clap::Subcommand;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::encoding::base64url;
use crate::base::{Id, entropy};
use crate::config::Config;
use crate::domain::{User, UserName};
use crate::flow::accounts::{self, NewAccount};
use crate::flow::passwords::Passwords;
use crate::oauth::ClientId;
use crate::store::{Store, StoreError, roles, users};

use super::output::{Failure, Output, listed, note};
use super::person::Known;
use super::setup::{Setup, entropy as source, now};
use super::{user_applications, user_sessions};

/// Users that one page of the list reads.
const PAGE: i64 = 500;
const MAX_INPUT_BYTES: u64 = 4096;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all users.
    List,
    /// Show one user.
    Show {
        /// The name that the user signs in with.
        name: String,
    },
    /// Add a user. The password is asked for, unless it comes another way.
    Add {
        /// The name to sign in with.
        name: String,
        #[command(flatten)]
        known: Known,
        /// A role to give. May be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Change what is known of a user; an empty text takes it away.
    Edit {
        /// The name that the user signs in with.
        name: String,
        #[command(flatten)]
        known: Known,
    },
    /// Set a new password; the user is signed out everywhere.
    Password {
        /// The name that the user signs in with.
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Lock an account: no login, no renewal, signed out everywhere.
    Lock {
        /// The name that the user signs in with.
        name: String,
    },
    /// Unlock an account and forget its failed logins.
    Unlock {
        /// The name that the user signs in with.
        name: String,
    },
    /// List a user's sessions, with the clients that got something in each.
    Sessions {
        /// The name that the user signs in with.
        name: String,
    },
    /// End a user's sessions with all refresh tokens that were given in them, those with offline_access too; the user can
    /// sign in again. What was given in a session that ended before, and API tokens, end with `lock`.
    SignOut {
        /// The name that the user signs in with.
        name: String,
        /// This one alone, by its id. Left out: all of them.
        #[arg(long, value_name = "ID")]
        session: Option<Id>,
    },
    /// List the clients that a user allowed something, or that hold something of the user's that lives.
    Applications {
        /// The name that the user signs in with.
        name: String,
    },
    /// Withdraw all that a user allowed a client: its refresh tokens end, and the user is asked anew. Sessions stay.
    Withdraw {
        /// The name that the user signs in with.
        name: String,
        /// The client's id.
        client_id: ClientId,
    },
    /// Give a user a role.
    Give {
        /// The name that the user signs in with.
        name: String,
        /// The role's name.
        role: String,
    },
    /// Take a role from a user.
    Take {
        /// The name that the user signs in with.
        name: String,
        /// The role's name.
        role: String,
    },
    /// Delete a user with everything of theirs.
    Delete {
        /// The name that the user signs in with.
        name: String,
    },
}

/// Where a password comes from. Never an argument: arguments can be read by everybody on the machine.
#[derive(clap::Args)]
pub(super) struct PasswordSource {
    /// Read it from standard input.
    #[arg(long, conflicts_with = "generate")]
    password_stdin: bool,
    /// Make one, and print it once.
    #[arg(long)]
    generate: bool,
}

impl PasswordSource {
    fn read(&self) -> Result<Zeroizing<String>, Failure> {
        if self.generate {
            return generated();
        }
        if self.password_stdin {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().take(MAX_INPUT_BYTES).read_to_string(&mut text)?;
            return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(
                "no terminal to ask for a password: use --password-stdin or --generate",
            ));
        }
        let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let second = Zeroizing::new(rpassword::prompt_password("Once more: ")?);
        if *first == *second { Ok(first) } else { Err(Failure::new("the two passwords differ")) }
    }
}

/// 120 bits in characters that can be typed.
pub(super) fn generated() -> Result<Zeroizing<String>, Failure> {
    let bytes: Zeroizing<[u8; 15]> = Zeroizing::new(entropy::bytes(&*source()).map_err(Failure::new)?);
    Ok(Zeroizing::new(base64url(&*bytes)))
}

pub(super) fn hasher(config: &Config) -> Result<Passwords, Failure> {
    Passwords::new(crate::app::password_cost(config), &*source()).map_err(Failure::new)
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let (config, store) = setup.store()?;
    let changed = |done: Result<User, accounts::AccountFault>| {
        let user = done.map_err(Failure::new)?;
        let roles = roles_of(&store, &user)?;
        output.say(&lines(&user, &roles), &as_json(&user, &roles));
        Ok(())
    };
    match command {
        Command::List => list(&store, output),
        Command::Show { name } => {
            let user = find(&store, &name)?;
            let roles = roles_of(&store, &user)?;
            output.say(&lines(&user, &roles), &as_json(&user, &roles));
            Ok(())
        }
        Command::Add { name, known, roles, password } => {
            require_roles(&store, &roles)?;
            // Before anybody types a password for nothing.
            if find(&store, &name).is_ok() {
                return Err(Failure::new(accounts::AccountFault::Taken));
            }
            let plain = password.read()?;
            let new = NewAccount { username: &name, password: &plain };
            let create = |user: &mut User| known.apply(user);
            let user = accounts::create(&store, &hasher(&config)?, &*source(), new, create, now())
                .map_err(Failure::new)?;
            for role in &roles {
                give(&store, &user, role)?;
            }
            say_with_password(output, &user, &roles, password.generate.then_some(plain.as_str()));
            Ok(())
        }
        Command::Edit { name, known } => {
            let name = UserName::canonical(&name);
            changed(accounts::change(&store, &name, now(), move |user| known.apply(user)))
        }
        Command::Password { name, password } => {
            let user = find(&store, &name)?;
            let plain = password.read()?;
            let user =
                accounts::set_password(&store, &hasher(&config)?, &*source(), &user.username, &plain, now())
                    .map_err(Failure::new)?;
            let roles = roles_of(&store, &user)?;
            say_with_password(output, &user, &roles, password.generate.then_some(plain.as_str()));
            Ok(())
        }
        Command::Lock { name } => changed(accounts::lock(&store, &UserName::canonical(&name), now())),
        Command::Unlock { name } => changed(accounts::unlock(&store, &UserName::canonical(&name), now())),
        Command::Sessions { name } => {
            let idle = crate::app::session_idle(&config);
            user_sessions::list(&store, output, &UserName::canonical(&name), idle)
        }
        Command::SignOut { name, session } => {
            user_sessions::end(&store, output, &UserName::canonical(&name), session)
        }
        Command::Applications { name } => {
            let idle = crate::app::session_idle(&config);
            user_applications::list(&store, output, &UserName::canonical(&name), idle)
        }
        Command::Withdraw { name, client_id } => {
            user_applications::withdraw(&store, output, &UserName::canonical(&name), &client_id)
        }
        Command::Give { name, role } => {
            let user = find(&store, &name)?;
            require_roles(&store, std::slice::from_ref(&role))?;
            give(&store, &user, &role)?;
            changed(Ok(user))
        }
        Command::Take { name, role } => {
            let user = find(&store, &name)?;
            let (id, taken) = (user.id, role.clone());
            if !store.write("take a role", move |conn| roles::take(conn, id, &taken))? {
                return Err(Failure::new(format!("{} does not have the role {role}", user.username)));
            }
            changed(Ok(user))
        }
        Command::Delete { name } => {
            accounts::delete(&store, &UserName::canonical(&name), now()).map_err(Failure::new)?;
            output.say(&[format!("user {name} deleted")], &json!({ "deleted": name }));
            Ok(())
        }
    }
}

fn find(store: &Store, name: &str) -> Result<User, Failure> {
    let canonical = UserName::canonical(name);
    let found = store.read("find a user", move |conn| users::by_name(conn, &canonical))?;
    found.ok_or_else(|| Failure::new(accounts::AccountFault::Unknown))
}

fn roles_of(store: &Store, user: &User) -> Result<Vec<String>, Failure> {
    let id = user.id;
    Ok(store.read("roles of a user", move |conn| roles::of_user(conn, id))?)
}

fn require_roles(store: &Store, wanted: &[String]) -> Result<(), Failure> {
    let there = store.read("roles", roles::all)?;
    let missing = wanted.iter().find(|name| !there.iter().any(|role| role.name == **name));
    match missing {
        Some(name) => Err(Failure::new(format!(
            "there is no role {name}: countersign role add {name} (a declared one is there once the server has started)"
        ))),
        None => Ok(()),
    }
}

/// Giving a role twice is the same as once.
fn give(store: &Store, user: &User, role: &str) -> Result<(), Failure> {
    let (id, role) = (user.id, role.to_owned());
    match store.write("give a role", move |conn| roles::give(conn, id, &role)) {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

fn list(store: &Store, output: &Output) -> Result<(), Failure> {
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page = store.read("users", move |conn| users::page(conn, &from, PAGE))?;
        let Some(last) = page.last() else { break };
        last.username.as_str().clone_into(&mut after);
        for user in &page {
            let state = if user.is_active() { "active" } else { "locked" };
            let name = user.display_name.clone().unwrap_or_default();
            rows.push(vec![user.username.to_string(), name, user.id.to_string(), state.to_owned()]);
            json.push(as_json(user, &[]));
        }
    }
    for user in &mut json {
        if let Some(members) = user.as_object_mut() {
            members.remove("roles");
        }
    }
    output.table(&["username", "name", "sub", "state"], &rows, &Value::Array(json));
    Ok(())
}

fn say_with_password(output: &Output, user: &User, roles: &[String], made: Option<&str>) {
    let (mut said, mut json) = (lines(user, roles), as_json(user, roles));
    if let Some(password) = made {
        note("The password is shown this once.");
        said.push(format!("password          {password}"));
        json["password"] = password.into();
    }
    output.say(&said, &json);
}

fn lines(user: &User, roles: &[String]) -> Vec<String> {
    let mut lines =
        vec![format!("username          {}", user.username), format!("sub               {}", user.id)];
    lines.extend(user.display_name.iter().map(|name| format!("name              {name}")));
    lines.extend(user.email.iter().map(|email| format!("email             {email}")));
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // Several lines stay one here.
    let shown = |value: &Value| plain(value).lines().collect::<Vec<_>>().join(" / ");
    lines.extend(user.person.iter().map(|(name, value)| format!("{name:<17} {}", shown(value))));
    lines.extend(
        user.attributes.iter().map(|(name, value)| format!("attribute         {name} = {}", shown(value))),
    );
    if !roles.is_empty() {
        lines.push(format!("roles             {}", listed(roles)));
    }
    lines.extend(user.locked_at.iter().map(|at| format!("locked            since {at}")));
    lines
}

fn as_json(user: &User, roles: &[String]) -> Value {
    json!({
        "username": user.username.as_str(),
        "sub": user.id,
        "display_name": user.display_name,
        "email": user.email,
        "claims": user.claims(),
        "attributes": user.attributes,
        "roles": roles,
        "locked_at": user.locked_at,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    })
}
