//! The pages that a person sees: one struct per page with all that it shows, and `render` to make HTML of it.
//!
//! What goes in is plain text; askama escapes it. Nothing here knows of requests, cookies or statuses: the endpoints
//! fill a struct and send what it renders. The pages work without script, and all but the two of [`back`] carry none, so
//! that the server's Content-Security-Policy can forbid it; style comes from [`assets`] alone.

pub mod account;
pub mod applications;
pub mod assets;
pub mod back;
pub mod choose;
pub mod client;
pub mod consent;
pub mod error;
pub mod home;
pub mod language;
pub mod login;
pub mod logout;
pub mod sign_up;
pub mod texts;
pub mod tokens;

#[cfg(test)]
mod tests;

pub use account::{Done, PasswordNotice, PasswordPage, SessionsPage, ShownSession};
pub use applications::{ApplicationsPage, ShownApplication, WithdrawPage};
pub use back::{FormPostPage, WebMessagePage};
pub use choose::{ChoosePage, ShownAccount};
pub use client::ClientCard;
pub use consent::{ConsentGroup, ConsentPage, scope_words};
pub use error::{ErrorKind, ErrorPage};
pub use home::HomePage;
pub use language::choose;
pub use login::{LoginNotice, LoginPage};
pub use logout::{LoggedOutPage, LogoutPage};
pub use sign_up::{PasswordMark, SignUpMarks, SignUpNotice, SignUpPage, UserNameMark};
pub use texts::Language;
pub use tokens::{
    LifeChoice, MadeToken, NewTokenPage, RevokeTokenPage, ScopeChoice, ServerChoice, ShownToken, TokenForm,
    TokenNotice, TokensPage,
};

/// Makes HTML of a page.
#[expect(
    clippy::expect_used,
    reason = "a String takes all that is written to it, and no page calls a filter that fails"
)]
fn html(page: &impl askama::Template) -> String {
    page.render().expect("a page is written to memory")
}
