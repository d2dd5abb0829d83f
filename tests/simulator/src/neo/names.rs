//! Sets of user names, of which Neo checks nothing: whoever is named there need not exist.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What OAuth clients of applications are called as users; these names are case-sensitive, all others are not.
const OAUTH_CLIENT: &str = "oauth_client_";

/// User names, each once, as they were spelt first.
#[derive(Clone, Default)]
pub(super) struct Names(BTreeMap<String, String>);

/// What two spellings of one user have in common.
fn key(name: &str) -> String {
    if name.starts_with(OAUTH_CLIENT) { name.to_owned() } else { name.to_lowercase() }
}

impl Names {
    /// Adds a name that is not there yet.
    pub(super) fn add(&mut self, name: &str) {
        self.0.entry(key(name)).or_insert_with(|| name.to_owned());
    }

    /// Removes a name; one that is not there is no error.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(&key(name));
    }

    /// Whether the name is there, in whatever case.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(&key(name))
    }

    /// The names as answers carry them: `[{"name": …}, …]`.
    pub(super) fn to_json(&self, lower_case: bool) -> Value {
        let shown = self.0.iter().map(|(key, name)| json!({"name": if lower_case { key } else { name }}));
        shown.collect()
    }
}

/// The names of a semicolon-separated query parameter.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_tells_oauth_clients_apart_but_no_one_else() {
        let mut names = Names::default();
        for name in ["P000001", "p000001", "oauth_client_A", "oauth_client_a"] {
            names.add(name);
        }
        assert_eq!(
            names.to_json(false),
            json!([{"name": "oauth_client_A"}, {"name": "oauth_client_a"}, {"name": "P000001"}])
        );
        names.remove("p000001");
        assert!(!names.contains("P000001"));
    }
}
