//! The filter of a client list: SCIM's syntax (RFC 7644, section 3.4.2.2) over the client id alone.

use serde_json::json;

use crate::directory::filter::{Filter as Condition, Operator, Scope};
use crate::directory::input::Body;
use crate::directory::schema::{Attribute, list, text};

static CLIENTS: Attribute = list("clients", &[text("client_id")]);

/// One comparison with the client id, or several joined by `or`. Values compare without regard to case, although ids do
/// not.
pub(super) struct Filter(Condition);

impl Filter {
    /// Reads a filter; `None` where the UAA would break: other attributes, other operators, no quotes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let condition = Condition::parse(text, Scope::Values(&CLIENTS)).ok()?;
        let known = match &condition {
            Condition::Any(parts) => parts.iter().all(is_known),
            one => is_known(one),
        };
        known.then_some(Self(condition))
    }

    /// Whether a client with this id is wanted.
    pub(super) fn wants(&self, id: &str) -> bool {
        self.0.holds(&Body::from_iter([("client_id".to_owned(), json!(id))]))
    }
}

fn is_known(condition: &Condition) -> bool {
    let Condition::Compare(_, operator, value) = condition else { return false };
    value.is_string() && matches!(operator, Operator::Equal | Operator::StartsWith | Operator::Contains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_without_case_and_comparisons_join() {
        let filter = Filter::parse(r#"client_id eq "P-1" or client_id sw "tu""#).unwrap();
        assert!(filter.wants("p-1") && filter.wants("TU-ONE"));
        assert!(!filter.wants("p-10"));
        assert!(Filter::parse(r#"client_id co "-1""#).unwrap().wants("p-10"));
    }

    #[test]
    fn other_attributes_and_rubbish_are_no_filter() {
        for text in [r#"owner eq "x""#, "bogus bogus", "client_id eq x", r#"client_id gt "x""#] {
            assert!(Filter::parse(text).is_none(), "{text}");
        }
    }
}
