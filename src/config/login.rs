//! `[login]`: throttling of wrong passwords, the cost of the right ones, and whether users make their own accounts.

use super::schema::section;

section! {
    /// Limits on wrong passwords, for the login page and the password grant together, and on accounts that people make.
    pub struct Login {
        /// Wrong passwords for one account within the window.
        max_failures_per_account: u32 = 10, in 1..=1_000;
        /// Wrong passwords from one address (IPv6: from one /56) within the window.
        max_failures_per_address: u32 = 50, in 1..=100_000;
        /// Wrong passwords altogether within the window. Beyond it nobody can sign in with a password: a brake on a guess
        /// from everywhere, which whoever has many addresses can pull too.
        max_failures_overall: u32 = 10_000, in 1..=10_000_000;
        /// The window in which failures are counted.
        window_s: u32 = 900, in 10..=86_400;
        /// Whether people may make accounts for themselves: a page for it, a link to it on the login page, and
        /// `prompt=create`. Nobody checks who they are or whether the e-mail address is theirs.
        self_registration: bool = false;
        /// Accounts that people may make from one address (IPv6: from one /56) within the window. An attempt at a name
        /// that is taken counts too.
        max_sign_ups_per_address: u32 = 20, in 1..=100_000;
        /// Accounts that people may make altogether within the window.
        max_sign_ups_overall: u32 = 1_000, in 1..=10_000_000;
        /// The window in which sign-ups are counted.
        sign_up_window_s: u32 = 3_600, in 10..=86_400;
        /// The cost of a password hash.
        argon2: Argon2 = Argon2::default();
    }
}

section! {
    /// The cost of an Argon2id password hash (RFC 9106). The defaults are OWASP's; raise them while a login stays
    /// quick. Existing hashes keep their own cost until their owner logs in again.
    pub struct Argon2 {
        /// Memory of one hash.
        memory_kib: u32 = 19_456, in 7_168..=1_048_576;
        /// Passes over the memory.
        iterations: u32 = 2, in 1..=20;
        /// Lanes.
        parallelism: u32 = 1, in 1..=16;
        /// Hashes that are computed at once. This many times `memory_kib` is the most that logins take.
        max_parallel: u32 = 2, in 1..=64;
        /// Logins that may wait for their turn; further ones are answered with 503.
        max_waiting: u32 = 64, in 0..=10_000;
    }
}
