//! The filter of a client list: SCIM's syntax (RFC 7644, section 3.4.2.2) over the client id alone.

/// One comparison with the client id, or several joined by `or`.
pub(super) struct Filter(Vec<Comparison>);

enum Operator {
    Equal,
    StartsWith,
    Contains,
}

struct Comparison {
    operator: Operator,
    value: String,
}

impl Filter {
    /// Reads a filter; `None` where the UAA would break: other attributes, other operators, no quotes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split(" or ").map(Comparison::parse).collect::<Option<_>>().map(Self)
    }

    /// Whether a client with this id is wanted. Values compare without regard to case, although ids do not.
    pub(super) fn wants(&self, id: &str) -> bool {
        let id = id.to_lowercase();
        self.0.iter().any(|comparison| comparison.holds(&id))
    }
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        let (attribute, rest) = text.trim().split_once(' ')?;
        let (operator, value) = rest.trim().split_once(' ')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?.to_lowercase();
        let operator = match operator.to_lowercase().as_str() {
            "eq" => Operator::Equal,
            "sw" => Operator::StartsWith,
            "co" => Operator::Contains,
            _ => return None,
        };
        attribute.eq_ignore_ascii_case("client_id").then_some(Self { operator, value })
    }

    fn holds(&self, id: &str) -> bool {
        match self.operator {
            Operator::Equal => id == self.value,
            Operator::StartsWith => id.starts_with(&self.value),
            Operator::Contains => id.contains(&self.value),
        }
    }
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
