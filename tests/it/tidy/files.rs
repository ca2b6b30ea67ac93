//! What every source file has: its purpose in the first line, a readable length, no panic in passing, no secret.

use syn::visit::{self, Visit};

use super::{File, all_files, none, rust_files};

const MAX_LINES: usize = 500;

/// Longer files, each with its reason.
const LONG: [(&str, &str); 0] = [];

#[test]
fn every_rust_file_opens_with_its_purpose() {
    let files = rust_files(&["benches", "examples", "src", "tests"]);
    none(files.iter().filter_map(without_purpose).collect());
}

#[test]
fn no_source_file_is_too_long_to_read_in_one_go() {
    let files: Vec<File> = all_files().into_iter().filter(is_source).collect();
    none(files.iter().filter_map(too_long).collect());
    for (path, _) in LONG {
        let file = files.iter().find(|file| file.path == path);
        let file = file.unwrap_or_else(|| panic!("{path} is not there any more"));
        assert!(file.text.lines().count() > MAX_LINES, "{path} is short now: take it off the list");
    }
}

#[test]
fn nothing_outside_of_tests_unwraps_without_a_written_reason() {
    none(rust_files(&["examples", "src"]).iter().flat_map(unwraps).collect());
}

#[test]
fn no_file_holds_a_secret() {
    none(all_files().iter().flat_map(secrets).collect());
}

#[test]
fn a_breach_is_seen() {
    assert!(without_purpose(&File::of("src/a.rs", "// Purpose\nfn f() {}")).is_some());
    assert!(without_purpose(&File::of("src/a.rs", "//! Purpose\n")).is_none());
    assert!(too_long(&File::of("src/a.rs", &"\n".repeat(MAX_LINES + 1))).is_some());
    assert!(too_long(&File::of("src/a.rs", &"\n".repeat(MAX_LINES))).is_none());

    for (count, text) in [
        (1, "fn f() { x().unwrap() }"),
        (1, "fn f() { let x = y.expect(\"there\"); }"),
        (1, "fn f() { let x = format!(\"{}\", y.unwrap()); }"),
        (1, "impl A { fn f() { |x| x.unwrap_err(); } }"),
        // The reason is what counts.
        (1, "#[expect(clippy::unwrap_used)] fn f() { x().unwrap() }"),
        (0, "#[expect(clippy::unwrap_used, reason = \"it is Some\")] fn f() { x().unwrap() }"),
        (
            0,
            "fn f() { #[expect(clippy::expect_used, reason = \"it is Some\")] let x = y.expect(\"there\"); }",
        ),
        (1, "#[expect(clippy::unwrap_used, reason = \"it is Some\")] fn f() {} fn g() { x().unwrap() }"),
        (0, "#[cfg(test)] mod tests { fn f() { x().unwrap() } }"),
        (0, "#[test] fn f() { x().unwrap() }"),
        (0, "fn f() { x().unwrap_or(1) }"),
    ] {
        assert_eq!(unwraps(&File::of("src/a.rs", text)).len(), count, "{text}");
    }

    let key = format!("-----BEGIN {}PRIVATE KEY-----\nMIIB", "RSA ");
    let token = format!("csgn_rt_{}_{}_{}", "a".repeat(12), "b".repeat(43), "c".repeat(6));
    assert_eq!(secrets(&File::of("docs/a.md", &key)).len(), 1);
    assert_eq!(secrets(&File::of("tests/it/a.rs", &key)).len(), 0);
    for path in ["docs/a.md", "tests/it/a.rs"] {
        assert_eq!(secrets(&File::of(path, &format!("x \"{token}\" y"))).len(), 1, "{path}");
        assert_eq!(secrets(&File::of(path, &format!("x \"{}\" y", &token[..60]))).len(), 0, "{path}");
    }
}

fn is_source(file: &File) -> bool {
    [".rs", ".js", ".css", ".html", ".ftl", ".sql", ".sh"].iter().any(|end| file.path.ends_with(end))
}

fn without_purpose(file: &File) -> Option<String> {
    (!file.text.starts_with("//! ")).then(|| format!("{}: does not open with `//! `", file.path))
}

fn too_long(file: &File) -> Option<String> {
    let count = file.text.lines().count();
    let is_known = LONG.iter().any(|(path, _)| *path == file.path);
    (count > MAX_LINES && !is_known).then(|| format!("{}: {count} lines, above {MAX_LINES}", file.path))
}

fn unwraps(file: &File) -> Vec<String> {
    if file.is_test() {
        return Vec::new();
    }
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let mut unwraps = Unwraps { excused: is_excused(&parsed.attrs), found: 0 };
    unwraps.visit_file(&parsed);
    let text = format!("{}: an unwrap or expect without `#[expect(…, reason = …)]`", file.path);
    vec![text; unwraps.found]
}

struct Unwraps {
    excused: bool,
    found: usize,
}

const PANICKING: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];

impl Unwraps {
    /// Runs `visit`, unless it is for tests only; under an excuse nothing counts.
    fn within(&mut self, attributes: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let outer = self.excused;
        self.excused |= is_excused(attributes) || is_for_tests(attributes);
        visit(self);
        self.excused = outer;
    }

    fn count(&mut self, count: usize) {
        if !self.excused {
            self.found += count;
        }
    }
}

fn listed(attribute: &syn::Attribute) -> String {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    }
}

fn is_excused(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("expect"))
        .map(listed)
        .any(|list| list.contains("reason") && (list.contains("unwrap_used") || list.contains("expect_used")))
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test") || attribute.path().is_ident("cfg") && listed(attribute) == "test"
    })
}

impl<'ast> Visit<'ast> for Unwraps {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.within(&item.attrs, |this| visit::visit_item_mod(this, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(&item.attrs, |this| visit::visit_item_fn(this, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(&item.attrs, |this| visit::visit_item_impl(this, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |this| visit::visit_impl_item_fn(this, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.within(&item.attrs, |this| visit::visit_item_static(this, item));
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.within(&local.attrs, |this| visit::visit_local(this, local));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.within(&call.attrs, |this| {
            this.count(usize::from(PANICKING.contains(&call.method.to_string().as_str())));
            visit::visit_expr_method_call(this, call);
        });
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let tokens: String = item.tokens.to_string().split_whitespace().collect();
        self.count(PANICKING.iter().map(|name| tokens.matches(&format!(".{name}(")).count()).sum());
    }
}

fn secrets(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    if !file.is_test() && holds_private_key(&file.text) {
        found.push(format!("{}: a private key", file.path));
    }
    if file.text.match_indices("csgn_").any(|(at, _)| is_token(&file.text[at..])) {
        found.push(format!("{}: a token", file.path));
    }
    found
}

/// A PEM header with a body behind it; code that only names the header holds none.
fn holds_private_key(text: &str) -> bool {
    text.match_indices("PRIVATE KEY-----").any(|(at, header)| {
        let before = text[..at].lines().next_back().unwrap_or_default();
        let after = text[at + header.len()..].trim_start_matches(['\\', 'n', '\n', '\r', ' ']);
        before.contains("-----BEGIN ") && after.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// `csgn_xx_` with 12, 43 and 6 letters and digits behind it, as base::secret makes them.
fn is_token(text: &str) -> bool {
    let word = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    let parts: Vec<usize> = word.split('_').map(str::len).collect();
    parts.len() >= 5 && parts[1..5] == [2, 12, 43, 6]
}
