//! What the pages load beside themselves: one stylesheet and one picture, both part of the binary.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The stylesheet, for `/assets/style.css`.
pub const STYLE_CSS: &str = include_str!("../../../templates/assets/style.css");

/// The seal, for `/assets/favicon.svg`. The pages carry the same picture in their head.
pub const FAVICON_SVG: &str = include_str!("../../../templates/assets/favicon.svg");

static STYLE_VERSION: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256::digest(STYLE_CSS.as_bytes());
    hash.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
});

/// Twelve hex digits that change with the stylesheet. The pages name it as `style.css?v=…`, so that the answer may be
/// kept by browsers for as long as they like.
#[must_use]
pub fn style_version() -> &'static str {
    &STYLE_VERSION
}
