//! Labels by which we find our instances and keys again. Pure.

use std::collections::BTreeMap;

use crate::plan::owner::Owner;
use crate::platform::Mark;
use crate::platform::broker::mark::{self, CLUSTER, LONGEST_VALUE, MATERIAL, OWNER};

/// Labels as a Cloud Controller writes them.
pub type Labels = BTreeMap<String, String>;

/// The labels of what is made for an owner, of this material.
pub fn labels(owner: &Owner, material: Option<&str>) -> Labels {
    mark::labels(owner, material).map(|(key, value)| (key.to_owned(), taken(value))).collect()
}

/// What labels say that a key was made of.
pub fn material(labels: &Labels) -> Option<String> {
    labels.get(MATERIAL).cloned()
}

/// Whether labels say that something was made for this owner.
pub fn is_of(labels: &Labels, owner: &Owner) -> bool {
    is_of_cluster(labels, &owner.cluster) && labels.get(OWNER) == Some(&taken(&owner.uid))
}

/// For whom labels say that something was made.
pub fn read(labels: &Labels) -> Option<Mark> {
    mark::read(|key| labels.get(key).cloned())
}

/// Whether labels say that something is of this cluster.
pub fn is_of_cluster(labels: &Labels, cluster: &str) -> bool {
    labels.get(CLUSTER) == Some(&taken(cluster))
}

/// The `label_selector` for everything of an owner.
pub fn of_owner(owner: &Owner) -> String {
    format!("{},{OWNER}={}", of_cluster(&owner.cluster), taken(&owner.uid))
}

/// The `label_selector` for everything of a cluster.
pub fn of_cluster(cluster: &str) -> String {
    format!("{CLUSTER}={}", taken(cluster))
}

/// A value that is taken: letters, digits, `-`, `_` and `.`, none of the latter at either end.
fn taken(value: &str) -> String {
    let is_known = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    let known = value.chars().map(|sign| if is_known(sign) { sign } else { '_' });
    let cut: String = known.take(LONGEST_VALUE).collect();
    cut.trim_matches(|sign: char| !sign.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        let name = format!("{}.{}", "n".repeat(62), "x".repeat(100));
        Owner { cluster: "c1".into(), uid: uid.into(), namespace: "orders".into(), name }
    }

    #[test]
    fn labels_are_taken_and_tell_owners_apart() {
        let one = labels(&owner("u1"), None);
        assert!(one.values().all(|value| value.len() <= LONGEST_VALUE));
        assert_eq!(one["tuo_name"], "n".repeat(62), "a value does not end with a dot");
        assert!(is_of(&one, &owner("u1")));
        assert_eq!(read(&one).unwrap().uid, "u1");
        assert!(!is_of(&one, &owner("u2")));
        assert!(!is_of(&one, &Owner { cluster: "c2".into(), ..owner("u1") }));
        assert!(!is_of(&Labels::new(), &owner("u1")));
    }

    #[test]
    fn values_cannot_leave_their_condition() {
        assert_eq!(of_owner(&owner("u,tuo_cluster!=c1")), "tuo_cluster=c1,tuo_owner=u_tuo_cluster__c1");
    }
}
