//! Roles: names that a user has and that go into the tokens of the resource servers that ask for them (RFC 9068 §2.2.3.1).

use crate::base::Timestamp;

use super::Problem;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name, as it stands in tokens.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it comes from the configuration file.
    pub declared: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Role {
    /// Applies the rules.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(self) -> Result<Self, Vec<Problem>> {
        let mut found = Vec::new();
        let sound =
            !self.name.is_empty() && self.name.len() <= 64 && self.name.bytes().all(|b| b.is_ascii_graphic());
        if !sound {
            found.push(Problem::new(
                "name",
                "a role's name has 1 to 64 visible ASCII characters and no blank",
            ));
        }
        if self.description.len() > 500 {
            found.push(Problem::new("description", "at most 500 bytes"));
        }
        if found.is_empty() { Ok(self) } else { Err(found) }
    }
}
