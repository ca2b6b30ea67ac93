//! Which registered clients are of use: those that were never given anything go away. RFC 7591 lets anybody who may
//! register do so as often as they like, and RFC 7592 §2.3 leaves it to a client's good will to delete itself.

use crate::flow::Cx;
use crate::oauth::ClientId;

/// Notes that a client was given a code or a token, if it registered itself. It costs no write.
pub fn note_use(cx: &Cx, client: &ClientId) {
    if cx.snapshot.registered(client).is_some() {
        cx.client_uses.note(client.as_str(), cx.now);
    }
}
