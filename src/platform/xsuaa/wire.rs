//! What the JSON of the Authorization and Trust Management API looks like, as far as we read and write it. Types only.

use serde::{Deserialize, Serialize};

/// The attribute by which identity providers tell a user's groups.
pub const GROUPS: &str = "Groups";
/// The only comparison we use.
pub const EQUALS: &str = "equals";

/// A user that holds a role collection.
#[derive(Deserialize)]
pub struct UserReference {
    pub username: String,
    pub origin: String,
}

/// A user, as answers show it. One that shows no role collections has none: the document does not require the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub username: String,
    pub origin: String,
    #[serde(default)]
    role_collections: Option<Vec<String>>,
}

impl User {
    /// Whether the user holds this role collection.
    pub fn holds(&self, name: &str) -> bool {
        self.role_collections.iter().flatten().any(|held| held == name)
    }
}

/// What the API says of something that it does not know: this and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    #[serde(rename = "error")]
    _error: String,
}

/// A role collection that whoever has an attribute of this value gets.
///
/// The API spells name and value in three ways, one for each kind of answer. `idpDisplayName` is left out on purpose: it
/// held the origin key once and holds a host name now.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mapping {
    pub role_collection_name: String,
    attribute_name: Option<String>,
    saml_attr_name: Option<String>,
    attribute_value: Option<String>,
    saml_attribute_value: Option<String>,
    saml_attr_value: Option<String>,
    comparison_operator: Option<String>,
}

impl Mapping {
    /// The group that it speaks of, if it speaks of one.
    pub fn group(&self) -> Option<&str> {
        let name = self.attribute_name.as_deref().or(self.saml_attr_name.as_deref())?;
        let operator = self.comparison_operator.as_deref().unwrap_or(EQUALS);
        let value = [&self.attribute_value, &self.saml_attribute_value, &self.saml_attr_value];
        (name == GROUPS && operator == EQUALS).then(|| value.into_iter().find_map(Option::as_deref)).flatten()
    }
}

/// A mapping to be made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewMapping<'a> {
    pub role_collection_name: &'a str,
    pub attribute_name: &'static str,
    pub attribute_value: &'a str,
    pub operator: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(text: &str) -> Option<String> {
        serde_json::from_str::<Mapping>(text).unwrap().group().map(str::to_owned)
    }

    #[test]
    fn all_spellings_of_a_mapping_are_read() {
        for value in ["attributeValue", "samlAttributeValue", "samlAttrValue"] {
            for name in ["attributeName", "samlAttrName"] {
                let text = format!(
                    r#"{{"roleCollectionName":"RC","{name}":"Groups","{value}":"g","comparisonOperator":"equals"}}"#
                );
                assert_eq!(group(&text).as_deref(), Some("g"));
            }
        }
    }

    #[test]
    fn other_attributes_and_comparisons_are_no_groups() {
        let other = r#"{"roleCollectionName":"RC","attributeName":"mail","attributeValue":"g"}"#;
        assert_eq!(group(other), None);
        let other = r#"{"roleCollectionName":"RC","attributeName":"Groups","attributeValue":"g","comparisonOperator":"contains"}"#;
        assert_eq!(group(other), None);
    }
}
