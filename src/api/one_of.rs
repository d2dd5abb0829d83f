//! The rule that a value names exactly one of several fields, read off the type that has them: nobody keeps a list of them.
//!
//! The schema says it too, but the API server's own words for that help nobody.

use kube::core::Rule;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// The value names exactly one field of `T`.
pub(super) fn exactly_one<T: JsonSchema>() -> Rule {
    let fields = fields::<T>();
    Rule::new(one_is_there("self", &fields)).message(format!("name exactly one of {}", all(&fields)).as_str())
}

/// Each value of a list names exactly one field of `T`. `what` is one of them, in words.
pub(super) fn exactly_one_each<T: JsonSchema>(what: &str) -> Rule {
    let fields = fields::<T>();
    let rule = format!("self.all(one, {})", one_is_there("one", &fields));
    Rule::new(rule).message(format!("each {what} names exactly one of {}", all(&fields)).as_str())
}

/// Counted, not listed: an API server estimates the cost of a rule and multiplies it by all the lists around it.
fn one_is_there(value: &str, fields: &[String]) -> String {
    let counted: Vec<String> = fields.iter().map(|field| format!("(has({value}.{field}) ? 1 : 0)")).collect();
    format!("{} == 1", counted.join(" + "))
}

/// The fields of an enum whose variants each have one.
fn fields<T: JsonSchema>() -> Vec<String> {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    let variants = schema.get("oneOf").and_then(Value::as_array);
    let names = variants.into_iter().flatten().filter_map(|variant| variant["required"][0].as_str());
    names.map(str::to_owned).collect()
}

fn all(fields: &[String]) -> String {
    match fields.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => fields.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Subject;

    #[test]
    fn a_rule_names_every_field_of_its_type() {
        let rule = serde_json::to_value(exactly_one::<Subject>()).unwrap();
        let counted = "(has(self.technicalUser) ? 1 : 0) + (has(self.user) ? 1 : 0) + (has(self.group) ? 1 : 0) == 1";
        assert_eq!(rule["rule"], counted);
        assert_eq!(rule["message"], "name exactly one of technicalUser, user and group");
        assert!(exactly_one_each::<Subject>("subject").rule.starts_with("self.all(one, (has(one.technicalUser)"));
    }
}
