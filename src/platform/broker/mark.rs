//! The labels by which we find what is ours, whoever keeps them; and what lists show, told apart by them. Pure.

use super::answer::another;
use crate::plan::owner::Owner;
use crate::platform::error::{Error, Kind, Result};
use crate::platform::{Mark, Ordered};

/// The cluster: everything that is ours carries it.
pub const CLUSTER: &str = "tuo_cluster";
/// The uid of the TechnicalUser.
pub const OWNER: &str = "tuo_owner";
/// Its namespace and name, for people who look at the platform.
const NAMESPACE: &str = "tuo_namespace";
const NAME: &str = "tuo_name";

/// What a key was made of, where not as usual.
pub const MATERIAL: &str = "tuo_material";

/// Longer values are refused.
pub const LONGEST_VALUE: usize = 63;

/// The labels of what is made for an owner, with their values in full; with its material, where there is a word for that.
pub fn labels<'a>(owner: &'a Owner, material: Option<&'a str>) -> impl Iterator<Item = (&'static str, &'a str)> {
    let of_owner = [(CLUSTER, &owner.cluster), (OWNER, &owner.uid), (NAMESPACE, &owner.namespace), (NAME, &owner.name)];
    let of_owner = of_owner.into_iter().map(|(key, value)| (key, value.as_str()));
    of_owner.chain(material.map(|word| (MATERIAL, word)))
}

/// For whom the values of labels say that something was made.
pub fn read(value: impl Fn(&str) -> Option<String>) -> Option<Mark> {
    let uid = value(OWNER)?;
    Some(Mark { uid, namespace: value(NAMESPACE).unwrap_or_default(), name: value(NAME).unwrap_or_default() })
}

/// An instance, or a key, as a list shows it.
pub trait Listed {
    /// The platform's id for it.
    fn id(&self) -> &str;
    /// Its name, if it has one.
    fn name(&self) -> &str;
    /// Whether its labels say that it was made for this owner.
    fn is_of(&self, owner: &Owner) -> bool;
}

/// The owner's, of those that were found by the mark and those that were found by the name: one that lost its labels, or
/// never got them, must be seen. A stranger's is a conflict where there is none of the owner's.
pub fn of_owner<T: Listed>(operation: &'static str, owner: &Owner, marked: Vec<T>, named: Vec<T>) -> Result<Vec<T>> {
    let name = owner.identity_name();
    let is_theirs = |one: &T| one.is_of(owner);
    if !marked.iter().all(is_theirs) || named.iter().any(|one| one.name() != name) {
        return Err(another(operation));
    }
    let (also_theirs, strangers): (Vec<_>, Vec<_>) = named.into_iter().partition(is_theirs);
    let mut found = marked;
    for one in also_theirs {
        if found.iter().all(|other| other.id() != one.id()) {
            found.push(one);
        }
    }
    if found.is_empty() && !strangers.is_empty() {
        return Err(Error::new(Kind::Conflict, operation).detail(format!("service instance `{name}`")));
    }
    Ok(found)
}

/// Whose is what holds a name that was to be given: the owner's, or a stranger's. `what` says what it would have been.
pub fn whose<T: Listed, R>(
    operation: &'static str,
    owner: &Owner,
    all: &[T],
    (what, name): (&str, &str),
) -> Result<Ordered<R>> {
    let named: Vec<_> = all.iter().filter(|one| one.name() == name).collect();
    if named.iter().any(|one| one.is_of(owner)) {
        return Ok(Ordered::Found);
    }
    // What holds the name may be there, and not to be seen yet.
    let kind = if named.is_empty() { Kind::OutcomeUnknown } else { Kind::Conflict };
    Err(Error::new(kind, operation).detail(format!("{what} `{name}`")))
}
