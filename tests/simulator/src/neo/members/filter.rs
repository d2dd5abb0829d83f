//! The one filter the members API knows: a single `eq` on the user name or the user base.

use super::super::account::Member;
use super::super::refusal::{Refusal, scim_bad_request};

/// What members are selected by; attribute names have no case.
pub(super) enum Filter {
    /// `username eq "…"`
    UserName(String),
    /// `userbase eq "…"`
    Userbase(String),
}

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Self::read(text).ok_or_else(|| scim_bad_request("invalidFilter", "The filter is not supported"))
    }

    fn read(text: &str) -> Option<Self> {
        let (attribute, rest) = text.trim().split_once(' ')?;
        let (operator, value) = rest.trim().split_once(' ')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        if !operator.eq_ignore_ascii_case("eq") || value.contains('"') {
            return None;
        }
        match attribute.to_lowercase().as_str() {
            "username" => Some(Self::UserName(value.to_owned())),
            "userbase" => Some(Self::Userbase(value.to_owned())),
            _ => None,
        }
    }

    /// Whether a member is selected.
    pub(super) fn wants(&self, member: &Member) -> bool {
        match self {
            Self::UserName(name) => member.user_name.eq_ignore_ascii_case(name),
            Self::Userbase(userbase) => member.userbase.eq_ignore_ascii_case(userbase),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_condition_with_eq_and_nothing_else() {
        assert!(matches!(Filter::read(r#"userName eq "P1""#), Some(Filter::UserName(name)) if name == "P1"));
        assert!(matches!(Filter::read(r#"USERBASE EQ "a""#), Some(Filter::Userbase(base)) if base == "a"));
        for text in [r#"username sw "P""#, r#"username eq "P1" and userbase eq "a""#, r#"id eq "P1""#, "username eq P1"]
        {
            assert!(Filter::read(text).is_none(), "{text}");
        }
    }
}
