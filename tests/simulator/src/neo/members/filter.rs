//! The one filter the members API knows: a single `eq` on the user name or the user base.

use serde_json::json;

use super::super::account::Member;
use super::super::refusal::{Refusal, scim_bad_request};
use crate::directory::filter::{Filter as Condition, Operator, Scope};
use crate::directory::input::Body;
use crate::directory::schema::{Attribute, list, text};

static MEMBERS: Attribute = list("members", &[text("username"), text("userbase")]);

/// What members are selected by.
pub(super) struct Filter(Condition);

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let condition = Condition::parse(text, Scope::Values(&MEMBERS)).ok();
        let single = condition.filter(|one| matches!(one, Condition::Compare(_, Operator::Equal, _)));
        single.map(Self).ok_or_else(|| scim_bad_request("invalidFilter", "The filter is not supported"))
    }

    /// Whether a member is selected.
    pub(super) fn wants(&self, member: &Member) -> bool {
        let names = [("username", &member.user_name), ("userbase", &member.userbase)];
        self.0.holds(&names.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect::<Body>())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_condition_with_eq_and_nothing_else() {
        let member = Member {
            user_name: "P1".to_owned(),
            userbase: "a".to_owned(),
            roles: Vec::new(),
            created: Duration::ZERO,
            last_modified: Duration::ZERO,
        };
        let wants = |text: &str| Filter::parse(text).ok().map(|filter| filter.wants(&member));
        assert_eq!(wants(r#"userName eq "p1""#), Some(true));
        assert_eq!(wants(r#"USERBASE EQ "a""#), Some(true));
        assert_eq!(wants(r#"userbase eq "b""#), Some(false));
        for text in [r#"username sw "P""#, r#"username eq "P1" and userbase eq "a""#, r#"id eq "P1""#, "username eq P1"]
        {
            assert!(wants(text).is_none(), "{text}");
        }
    }
}
