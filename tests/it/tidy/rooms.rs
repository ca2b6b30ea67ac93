//! Which room may use which, and which crate belongs to which room (docs/ARCHITECTURE.md).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use syn::visit::{self, Visit};

use super::{File, none, rust_files};

/// Each room with the rooms it may use: those to its right in
/// `cli → http → app → flow → { store, jose, fetch } → domain → oauth → base`; `config` hands its values out through `app`.
const ROOMS: [(&str, &[&str]); 11] = [
    ("cli", &["http", "app", "flow", "store", "jose", "fetch", "domain", "oauth", "base", "config"]),
    ("http", &["app", "flow", "store", "jose", "fetch", "domain", "oauth", "base", "config"]),
    ("app", &["flow", "store", "jose", "fetch", "domain", "oauth", "base", "config"]),
    ("flow", &["store", "jose", "fetch", "domain", "oauth", "base"]),
    ("store", &["domain", "oauth", "base"]),
    ("jose", &["domain", "oauth", "base"]),
    ("fetch", &["domain", "oauth", "base"]),
    ("domain", &["oauth", "base"]),
    ("oauth", &["base"]),
    ("config", &["base"]),
    ("base", &[]),
];

/// Crates that one room keeps to itself.
const CRATES: [(&str, &str); 15] = [
    ("actix_http", "http"),
    ("actix_rt", "http"),
    ("actix_web", "http"),
    ("askama", "http"),
    ("argon2", "flow"),
    ("clap", "cli"),
    ("diesel", "store"),
    ("diesel_migrations", "store"),
    ("figment", "config"),
    ("josekit", "jose"),
    ("oxide_auth", "flow"),
    ("p256", "jose"),
    ("rsa", "jose"),
    ("rustls_native_certs", "fetch"),
    ("ureq", "fetch"),
];

/// Parsing takes most of the time: once for all tests.
static SOURCES: LazyLock<Vec<(File, Names)>> = LazyLock::new(|| {
    let with_names = |file: File| {
        let names = names(&file);
        (file, names)
    };
    rust_files(&["src"]).into_iter().map(with_names).collect()
});

#[test]
fn a_room_uses_only_rooms_to_its_right() {
    none(SOURCES.iter().flat_map(|(file, names)| wrong_rooms(file, names)).collect());
}

#[test]
fn a_crate_with_a_room_is_used_there_only() {
    none(SOURCES.iter().flat_map(|(file, names)| wrong_crates(file, names)).collect());
}

#[test]
fn only_http_is_async() {
    none(SOURCES.iter().flat_map(|(file, names)| wrong_async(file, names)).collect());
}

#[test]
fn every_room_has_its_rule_and_every_kept_crate_is_used() {
    let rooms: BTreeSet<String> =
        SOURCES.iter().map(|(file, _)| file.module().swap_remove(0)).filter(|room| room != "lib").collect();
    for room in rooms.iter().filter(|room| *room != "main") {
        assert!(ROOMS.iter().any(|(name, _)| name == room), "src/{room} has no line in ROOMS");
    }
    let used: BTreeSet<String> =
        SOURCES.iter().flat_map(|(_, names)| &names.outside).map(|path| path[0].clone()).collect();
    // actix_http and actix_rt come with actix_web: they are on the list so that nobody goes round it.
    for (name, _) in CRATES.iter().filter(|(name, _)| !["actix_http", "actix_rt"].contains(name)) {
        let is_later = !rooms.contains("cli") && *name == "clap";
        assert!(is_later || used.contains(*name), "nothing in src/ uses {name}: is the reader blind?");
    }
}

fn seen(rule: fn(&File, &Names) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    let file = File::of(path, text);
    rule(&file, &names(&file))
}

#[test]
fn a_breach_is_seen_wherever_it_hides() {
    for (path, text) in [
        ("src/flow/token/code.rs", "use crate::http::paths;"),
        ("src/flow/token/code.rs", "use crate::{base::Id, http};"),
        ("src/flow/token/code.rs", "use super::super::super::http::paths;"),
        ("src/flow/mod.rs", "pub use super::config::Config;"),
        ("src/flow/cx.rs", "fn f() { crate::app::App::start() }"),
        ("src/flow/cx.rs", "fn f(app: &crate::app::App) {}"),
        ("src/flow/cx.rs", "fn f() { println!(\"{}\", crate::app::NAME) }"),
        ("src/flow/cx.rs", "mod inner { use super::super::super::app::App; }"),
        ("src/store/keys.rs", "use crate::jose::Sealer;"),
        ("src/jose/ring.rs", "use crate::store::Store;"),
        ("src/fetch/mod.rs", "use crate::store::Store;"),
        ("src/config/mod.rs", "use crate::oauth::Scope;"),
        ("src/base/id.rs", "#[derive(crate::store::Row)] struct S;"),
    ] {
        assert_eq!(seen(wrong_rooms, path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/flow/token/code.rs", "use super::{client, super::Cx};"),
        ("src/flow/token/code.rs", "use crate::{base::Id, store};"),
        ("src/app/mod.rs", "/// Unlike [`crate::cli`].\nuse crate::config::Config;"),
        ("src/main.rs", "fn main() { countersign::cli::main() }"),
    ] {
        // `use super::{super::…}` is no Rust, and syn reads it all the same.
        assert_eq!(seen(wrong_rooms, path, text), Vec::<String>::new(), "{path}: {text}");
    }
    for text in [
        "use actix_web::HttpRequest;",
        "use ::diesel::PgConnection;",
        "use ureq::Agent;",
        "fn f() -> p256::SecretKey { g() }",
        "#[derive(diesel::Queryable)] struct S;",
        "fn f() { assert!(josekit::util::random_bytes(3).is_empty()) }",
    ] {
        assert_eq!(seen(wrong_crates, "src/domain/key.rs", text).len(), 1, "{text}");
    }
    for text in ["async fn f() {}", "fn f() { async { 1 }; }"] {
        assert_eq!(seen(wrong_async, "src/flow/cx.rs", text).len(), 1, "{text}");
    }
}

fn wrong_rooms(file: &File, names: &Names) -> Vec<String> {
    let module = file.module();
    let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| *room == module[0]) else { return Vec::new() };
    let rooms: BTreeSet<String> = names.inside.iter().map(|path| path[0].clone()).collect();
    let is_room = |name: &&String| ROOMS.iter().any(|(room, _)| room == name);
    let wrong = rooms.iter().filter(is_room).filter(|name| name != room && !allowed.contains(&name.as_str()));
    wrong.map(|name| format!("{}: `{room}` may not use `{name}`", file.path)).collect()
}

fn wrong_crates(file: &File, names: &Names) -> Vec<String> {
    let module = file.module();
    let used: BTreeSet<String> = names.outside.iter().map(|path| path[0].clone()).collect();
    let home = |name: &str| CRATES.iter().find(|(kept, _)| *kept == name).map(|(_, room)| *room);
    let wrong =
        used.iter().filter_map(|name| Some((name, home(name)?))).filter(|(_, room)| *room != module[0]);
    wrong.map(|(name, room)| format!("{}: {name} is for `{room}` only", file.path)).collect()
}

fn wrong_async(file: &File, names: &Names) -> Vec<String> {
    let found = names.is_async && file.module()[0] != "http";
    found.then(|| format!("{}: async outside of `http`", file.path)).into_iter().collect()
}

/// What a file names with a path.
#[derive(Default)]
struct Names {
    /// Where in the crate we are.
    module: Vec<String>,
    /// Paths within the crate, from its root.
    inside: BTreeSet<Vec<String>>,
    /// Paths that begin with something else: a crate, or what a `use` brought in.
    outside: BTreeSet<Vec<String>>,
    is_async: bool,
}

fn names(file: &File) -> Names {
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let mut names = Names { module: file.module(), ..Names::default() };
    names.visit_file(&parsed);
    names
}

impl Names {
    fn add(&mut self, path: &[String]) {
        let mut base = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            Some(_) => {
                self.outside.insert(path.to_vec());
                return;
            }
            None => return,
        };
        for name in path {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => drop(base.pop()),
                _ => base.push(name.clone()),
            }
        }
        if !base.is_empty() {
            self.inside.insert(base);
        }
    }

    fn add_use(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(one) => {
                path.push(one.ident.to_string());
                self.add_use(&one.tree, path);
                path.pop();
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                path.push(ident.to_string());
                self.add(path);
                path.pop();
            }
            syn::UseTree::Glob(_) => self.add(path),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, path);
                }
            }
        }
    }

    /// Paths in what only a macro can read.
    fn add_tokens(&mut self, tokens: &str) {
        let close = tokens.replace(" :: ", "::").replace(":: ", "::").replace(" ::", "::");
        let words = close.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        for word in words.filter(|word| word.contains("::")) {
            let path: Vec<String> =
                word.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            self.add(&path);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is no import: it is a local one, or a `use` has brought it in.
        if path.segments.len() > 1 {
            let path: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&path);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.add_tokens(&item.tokens.to_string());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.add_tokens(&list.tokens.to_string());
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.is_async |= signature.asyncness.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.is_async = true;
        visit::visit_expr_async(self, block);
    }
}
