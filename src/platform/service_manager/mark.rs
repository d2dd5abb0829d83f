//! Labels by which we find our instances and bindings again. Pure.

use std::collections::BTreeMap;

use crate::plan::owner::Owner;
use crate::platform::Mark;
use crate::platform::broker::mark::{self, CLUSTER, LONGEST_VALUE, MATERIAL, OWNER};

/// Labels as the Service Manager writes them.
pub type Labels = BTreeMap<String, Vec<String>>;

/// The labels of what is made for an owner, of this material.
pub fn labels(owner: &Owner, material: Option<&str>) -> Labels {
    mark::labels(owner, material).map(|(key, value)| (key.to_owned(), vec![shortened(value)])).collect()
}

/// What labels say that a key was made of.
pub fn material(labels: &Labels) -> Option<String> {
    labels.get(MATERIAL).and_then(|values| values.first()).cloned()
}

/// Whether labels say that something was made for this owner.
pub fn is_of(labels: &Labels, owner: &Owner) -> bool {
    let carries = |key: &str, value: &str| labels.get(key).is_some_and(|values| values.contains(&shortened(value)));
    carries(CLUSTER, &owner.cluster) && carries(OWNER, &owner.uid)
}

/// For whom labels say that something was made.
pub fn read(labels: &Labels) -> Option<Mark> {
    mark::read(|key| labels.get(key).and_then(|values| values.first()).cloned())
}

/// Whether labels say that something is of this cluster.
pub fn is_of_cluster(labels: &Labels, cluster: &str) -> bool {
    labels.get(CLUSTER).is_some_and(|values| values.contains(&shortened(cluster)))
}

/// The `labelQuery` for everything of an owner.
pub fn of_owner(owner: &Owner) -> String {
    format!("{} and {}", of_cluster(&owner.cluster), equals(OWNER, &shortened(&owner.uid)))
}

/// The `labelQuery` for everything of a cluster.
pub fn of_cluster(cluster: &str) -> String {
    equals(CLUSTER, &shortened(cluster))
}

/// A condition of a `fieldQuery` or `labelQuery`. A quote in a value is doubled.
pub fn equals(key: &str, value: &str) -> String {
    format!("{key} eq '{}'", value.replace('\'', "''"))
}

/// A condition that any of these values meets.
pub fn one_of<'a>(key: &str, values: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = values.map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
    format!("{key} in ({})", quoted.join(","))
}

fn shortened(value: &str) -> String {
    value.chars().take(LONGEST_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        Owner { cluster: "c1".into(), uid: uid.into(), namespace: "orders".into(), name: "n".repeat(253) }
    }

    #[test]
    fn labels_are_short_and_tell_owners_apart() {
        let one = labels(&owner("u1"), None);
        assert!(one.values().flatten().all(|value| value.len() <= LONGEST_VALUE));
        assert!(is_of(&one, &owner("u1")));
        assert_eq!(read(&one).unwrap().uid, "u1");
        assert!(!is_of(&one, &owner("u2")));
        assert!(!is_of(&one, &Owner { cluster: "c2".into(), ..owner("u1") }));
        assert!(!is_of(&Labels::new(), &owner("u1")));
    }

    #[test]
    fn values_cannot_leave_their_quotes() {
        assert_eq!(one_of("id", ["a", "b'"].into_iter()), "id in ('a','b''')");
        assert_eq!(equals("name", "x' or name ne '"), "name eq 'x'' or name ne '''");
    }
}
