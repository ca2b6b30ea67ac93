//! All pages in all languages, filled with friendly, long and hostile data.

use crate::domain::authorization::Access;
use crate::http::pages::{
    ApplicationsPage, ChoosePage, ClientCard, ConsentGroup, ConsentPage, Done, ErrorKind, ErrorPage,
    FormPostPage, HomePage, Language, LifeChoice, LoggedOutPage, LoginNotice, LoginPage, LogoutPage,
    MadeToken, NewTokenPage, PasswordMark, PasswordNotice, PasswordPage, RevokeTokenPage, ScopeChoice,
    ServerChoice, SessionsPage, ShownAccount, ShownApplication, ShownSession, ShownToken, SignUpMarks,
    SignUpNotice, SignUpPage, TokenForm, TokenNotice, TokensPage, UserNameMark, WebMessagePage, WithdrawPage,
};

/// A page as it would be sent.
pub(super) struct Sample {
    /// `de-login-hostile`.
    pub(super) name: String,
    pub(super) lang: Language,
    pub(super) html: String,
}

/// What is put into every field that takes words from elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) kind: &'static str,
    pub(super) base: &'static str,
    pub(super) service: &'static str,
    pub(super) client: &'static str,
    pub(super) host: &'static str,
    pub(super) user: &'static str,
    pub(super) sealed: &'static str,
    pub(super) scope: &'static str,
    pub(super) detail: &'static str,
}

pub(super) const ATTACK: &str = r#"'"><script>alert(1)</script><b style="x">"#;

pub(super) const FRIENDLY: Words = Words {
    kind: "friendly",
    base: "",
    service: "Countersign",
    client: "Acme Photos",
    host: "photos.acme.example",
    user: "amira.holm",
    sealed: "c2VhbGVk.cmVxdWVzdA",
    scope: "See your albums and the photos in them",
    detail: "The parameter code_challenge is missing. Public clients must use PKCE (RFC 7636): send code_challenge and \
             code_challenge_method=S256.",
};

pub(super) const LONG: Words = Words {
    kind: "long",
    base: "/auth",
    service: "The sign-in of the Joint Administration of the Universities of the Northern Provinces",
    client: "Gesellschaft für Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtenverwaltung und Söhne",
    host: "a-very-long-host-name-without-any-mercy.for-narrow-screens.subdomain.of.some.example.org:58443",
    user: "maximiliane.theodora.von-und-zu-hohenfels-sternburg-weissenstein.1987@students.university.example.org",
    sealed: "c2VhbGVk.cmVxdWVzdA",
    scope: "Read, change and delete every document in all the workspaces that you own or that have ever been shared \
            with you, including-those-with-names-that-refuse-to-break-anywhere-at-all",
    detail: "redirect_uri https://a-very-long-host-name-without-any-mercy.for-narrow-screens.subdomain.example.org:58443/\
             callback/with/a/path/that/goes/on/and/on is not registered for this client. Registered: \
             https://app.example.org/callback. The comparison is exact: case, port, slash and query count.",
};

pub(super) const HOSTILE: Words = Words {
    kind: "hostile",
    base: "/auth",
    service: ATTACK,
    client: ATTACK,
    host: ATTACK,
    user: ATTACK,
    sealed: ATTACK,
    scope: ATTACK,
    detail: ATTACK,
};

pub(super) fn login(lang: Language, w: Words, notice: Option<LoginNotice>) -> String {
    let page = LoginPage {
        lang,
        base: w.base,
        service: w.service,
        client_name: Some(w.client),
        card: card(w),
        request: w.sealed,
        csrf: w.sealed,
        username: if notice.is_some() || w.kind != "friendly" { w.user } else { "" },
        notice,
        remember: notice.is_some(),
        choose: notice.is_some(),
        sign_up: notice.is_none(),
    };
    page.render()
}

pub(super) fn sign_up(lang: Language, w: Words, notice: Option<SignUpNotice>, marks: SignUpMarks) -> String {
    let typed = |text| if notice.is_some() || w.kind != "friendly" { text } else { "" };
    let page = SignUpPage {
        lang,
        base: w.base,
        service: w.service,
        client_name: Some(w.client),
        card: card(w),
        request: w.sealed,
        csrf: w.sealed,
        username: typed(w.user),
        display_name: typed(w.client),
        email: typed(w.host),
        remember: notice.is_some(),
        notice,
        marks,
    };
    page.render()
}

/// Everything is wrong.
pub(super) const ALL_MARKS: SignUpMarks = SignUpMarks {
    username: Some(UserNameMark::Taken),
    password: Some(PasswordMark::Differ),
    display_name: true,
    email: true,
};

pub(super) fn choose(lang: Language, w: Words) -> String {
    let account = |display_name: Option<&str>| ShownAccount {
        id: w.sealed.to_owned(),
        username: w.user.to_owned(),
        display_name: display_name.map(str::to_owned),
    };
    let page = ChoosePage {
        lang,
        base: w.base,
        service: w.service,
        client_name: Some(w.client),
        request: w.sealed,
        csrf: w.sealed,
        accounts: vec![account(Some(w.client)), account(None)],
    };
    page.render()
}

/// The addresses were checked before they were stored; here they are whatever a damaged row may hold.
fn card(w: Words) -> ClientCard<'static> {
    let address = |plain: &'static str| Some(if w.kind == "hostile" { w.client } else { plain });
    ClientCard {
        name: w.client,
        logo: address("https://photos.acme.example/logo.png"),
        home: address("https://photos.acme.example/"),
        policy: address("https://photos.acme.example/policy"),
        terms: address("https://photos.acme.example/terms"),
        unchecked: w.kind != "friendly",
    }
}

pub(super) fn consent(lang: Language, w: Words, offline: bool) -> String {
    let account =
        ConsentGroup::for_account(lang, ["openid", "profile", "email", "offline_access", "photos.read"]);
    let photos = ConsentGroup { resource_name: w.client.to_owned(), items: vec![w.scope.to_owned(); 2] };
    let page = ConsentPage {
        lang,
        base: w.base,
        service: w.service,
        client_name: w.client,
        card: card(w),
        client_host: w.host,
        username: w.user,
        request: w.sealed,
        csrf: w.sealed,
        groups: account.into_iter().chain([photos]).collect(),
        remembered: true,
        offline,
    };
    page.render()
}

pub(super) fn logout(lang: Language, w: Words) -> String {
    let page = LogoutPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        others: &[w.user.to_owned(), w.client.to_owned()],
        client_name: Some(w.client),
        request: w.sealed,
        csrf: w.sealed,
    };
    page.render()
}

fn logged_out(lang: Language, w: Words) -> String {
    let (users, clients) = ([w.user.to_owned()], [w.client.to_owned(), w.host.to_owned()]);
    let page = LoggedOutPage {
        lang,
        base: w.base,
        service: w.service,
        client_name: Some(w.client),
        accounts: &users,
        remaining: &users,
        told: &clients,
        not_told: &clients,
    };
    page.render()
}

pub(super) fn sessions(lang: Language, w: Words) -> String {
    let session = |is_this: bool| ShownSession {
        id: format!("{}{is_this}", w.kind),
        is_this,
        browser: is_this.then(|| "Firefox, Linux".to_owned()),
        started: "2026-11-23 12:00 UTC".to_owned(),
        last_used: "2026-11-28 02:38 UTC".to_owned(),
        remembered: is_this,
        clients: if is_this { vec![w.client.to_owned(), w.host.to_owned()] } else { Vec::new() },
    };
    let page = SessionsPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        csrf: w.sealed,
        done: Some(Done::PasswordChanged),
        sessions: vec![session(true), session(false)],
    };
    page.render()
}

pub(super) fn password(lang: Language, w: Words, notice: Option<PasswordNotice>) -> String {
    PasswordPage { lang, base: w.base, service: w.service, username: w.user, csrf: w.sealed, notice }.render()
}

pub(super) fn form_post(lang: Language, w: Words) -> String {
    let parameters = [("code", w.sealed.to_owned()), ("state", w.detail.to_owned())];
    let page = FormPostPage {
        lang,
        base: w.base,
        service: w.service,
        client_host: w.host,
        to: w.host,
        parameters: &parameters,
    };
    page.render()
}

pub(super) fn web_message(lang: Language, w: Words) -> String {
    let message = serde_json::json!({ "code": w.sealed, "state": w.detail }).to_string();
    WebMessagePage { lang, base: w.base, service: w.service, origin: w.host, message: &message }.render()
}

pub(super) fn error(lang: Language, w: Words, kind: ErrorKind) -> String {
    let page = ErrorPage {
        lang,
        base: w.base,
        service: w.service,
        status: 400,
        kind,
        code: if w.kind == "hostile" { ATTACK } else { "invalid_request" },
        detail: w.detail,
        request_id: if w.kind == "hostile" { ATTACK } else { "01JD8Z6Q4W9M5T" },
    };
    page.render()
}

fn home(lang: Language, w: Words, username: Option<&str>) -> String {
    HomePage { lang, base: w.base, service: w.service, issuer: w.host, username }.render()
}

fn tokens_page(lang: Language, w: Words) -> TokensPage<'static> {
    let token = ShownToken {
        id: "0a1B2c3D4e5F".to_owned(),
        name: w.client.to_owned(),
        server: w.host.to_owned(),
        permissions: vec![w.scope.to_owned(); 2],
        made: "2026-11-23".to_owned(),
        expires: "2027-02-21".to_owned(),
        last_used: None,
    };
    let used = ShownToken { id: "x".repeat(12), last_used: Some("2026-11-24".to_owned()), ..token.clone() };
    let made = MadeToken { name: w.client, secret: w.sealed };
    TokensPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        done: Some(Done::TokenRevoked),
        made: Some(made),
        tokens: vec![token, used],
    }
}

pub(super) fn tokens(lang: Language, w: Words) -> String {
    tokens_page(lang, w).render()
}

pub(super) fn new_token(lang: Language, w: Words, notice: Option<TokenNotice>) -> String {
    let scope = ScopeChoice { value: w.sealed.to_owned(), words: w.scope.to_owned(), checked: false };
    let form = TokenForm {
        resource: w.host.to_owned(),
        server: w.client.to_owned(),
        name: if notice.is_some() || w.kind != "friendly" { w.client.to_owned() } else { String::new() },
        scopes: vec![scope.clone(), ScopeChoice { checked: true, ..scope }],
        lives: [1, 90].map(|days| LifeChoice { days, checked: days == 90 }).into(),
    };
    NewTokenPage { form: Some(form), notice, ..new_token_page(lang, w) }.render()
}

fn choose_server(lang: Language, w: Words, count: usize) -> String {
    let server = ServerChoice { id: w.host.to_owned(), name: w.client.to_owned() };
    NewTokenPage { servers: vec![server; count], ..new_token_page(lang, w) }.render()
}

fn new_token_page(lang: Language, w: Words) -> NewTokenPage<'static> {
    NewTokenPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        csrf: w.sealed,
        servers: Vec::new(),
        form: None,
        notice: None,
    }
}

pub(super) fn revoke_token(lang: Language, w: Words) -> String {
    let page = RevokeTokenPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        csrf: w.sealed,
        id: w.sealed,
        name: w.client,
    };
    page.render()
}

fn applications_page(lang: Language, w: Words) -> ApplicationsPage<'static> {
    let groups = || {
        let account = ConsentGroup::for_account(lang, ["openid", "profile", "offline_access"]);
        let photos = ConsentGroup { resource_name: w.client.to_owned(), items: vec![w.scope.to_owned(); 2] };
        account.into_iter().chain([photos]).collect()
    };
    let applications = [Access::Lasting, Access::WhileSignedIn, Access::Remembered].map(|access| {
        let since = "2026-11-23".to_owned();
        ShownApplication { id: w.sealed, card: card(w), groups: groups(), since, access }
    });
    let applications = applications.into();
    let done = Some(Done::AccessWithdrawn);
    ApplicationsPage { lang, base: w.base, service: w.service, username: w.user, done, applications }
}

pub(super) fn applications(lang: Language, w: Words) -> String {
    applications_page(lang, w).render()
}

pub(super) fn withdraw(lang: Language, w: Words, asks: bool) -> String {
    let page = WithdrawPage {
        lang,
        base: w.base,
        service: w.service,
        username: w.user,
        csrf: w.sealed,
        client: w.sealed,
        client_name: w.client,
        asks,
    };
    page.render()
}

/// Every page in every language, with each kind of data, each notice and each kind of error.
pub(super) fn all() -> Vec<Sample> {
    let mut samples = Vec::new();
    for lang in Language::ALL {
        let mut add = |name: String, html: String| {
            samples.push(Sample { name: format!("{}-{name}", lang.tag()), lang, html });
        };
        for w in [FRIENDLY, LONG, HOSTILE] {
            add(format!("login-{}", w.kind), login(lang, w, None));
            add(format!("login-refused-{}", w.kind), login(lang, w, Some(LoginNotice::Refused)));
            add(format!("sign-up-{}", w.kind), sign_up(lang, w, None, SignUpMarks::default()));
            let fields = Some(SignUpNotice::Fields);
            add(format!("sign-up-refused-{}", w.kind), sign_up(lang, w, fields, ALL_MARKS));
            add(format!("consent-{}", w.kind), consent(lang, w, true));
            add(format!("logout-{}", w.kind), logout(lang, w));
            add(format!("logged-out-{}", w.kind), logged_out(lang, w));
            add(format!("choose-account-{}", w.kind), choose(lang, w));
            add(format!("home-{}", w.kind), home(lang, w, None));
            add(format!("home-signed-in-{}", w.kind), home(lang, w, Some(w.user)));
            add(format!("sessions-{}", w.kind), sessions(lang, w));
            add(format!("password-{}", w.kind), password(lang, w, None));
            add(format!("tokens-{}", w.kind), tokens(lang, w));
            add(format!("new-token-{}", w.kind), new_token(lang, w, None));
            add(format!("choose-server-{}", w.kind), choose_server(lang, w, 2));
            add(format!("revoke-token-{}", w.kind), revoke_token(lang, w));
            add(format!("applications-{}", w.kind), applications(lang, w));
            add(format!("withdraw-{}", w.kind), withdraw(lang, w, w.kind == "friendly"));
            add(format!("form-post-{}", w.kind), form_post(lang, w));
            add(format!("web-message-{}", w.kind), web_message(lang, w));
            add(format!("error-{}", w.kind), error(lang, w, ErrorKind::BadRequest));
        }
        let notices = [
            ("throttled", LoginNotice::Throttled { wait_s: 240 }),
            ("unavailable", LoginNotice::Unavailable),
            ("reauthenticate", LoginNotice::Reauthenticate),
            ("confirm", LoginNotice::Confirm),
            ("expired", LoginNotice::Expired),
        ];
        for (name, notice) in notices {
            add(format!("login-{name}"), login(lang, FRIENDLY, Some(notice)));
        }
        for notice in [SignUpNotice::Throttled { wait_s: 240 }, SignUpNotice::Unavailable] {
            add(format!("sign-up-{notice:?}"), sign_up(lang, FRIENDLY, Some(notice), SignUpMarks::default()));
        }
        add("no-server".to_owned(), choose_server(lang, FRIENDLY, 0));
        let none = TokensPage { tokens: Vec::new(), made: None, done: None, ..tokens_page(lang, FRIENDLY) };
        add("tokens-none".to_owned(), none.render());
        let none =
            ApplicationsPage { applications: Vec::new(), done: None, ..applications_page(lang, FRIENDLY) };
        add("applications-none".to_owned(), none.render());
        let notices = [TokenNotice::Name, TokenNotice::Scope, TokenNotice::Life, TokenNotice::Full];
        for notice in notices {
            add(format!("new-token-{notice:?}"), new_token(lang, FRIENDLY, Some(notice)));
        }
        let notices = [
            PasswordNotice::Wrong,
            PasswordNotice::Throttled { wait_s: 240 },
            PasswordNotice::Unavailable,
            PasswordNotice::Rules,
            PasswordNotice::Differ,
            PasswordNotice::Same,
        ];
        for notice in notices {
            add(format!("password-{notice:?}"), password(lang, FRIENDLY, Some(notice)));
        }
        for kind in ErrorKind::ALL {
            add(format!("error-{kind:?}"), error(lang, FRIENDLY, kind));
        }
    }
    samples
}
