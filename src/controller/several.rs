//! Which objects go with each key. Of thousands of keys most have one object, so no key has a set of its own.

use std::collections::BTreeSet;

use super::index::Key;

/// Any number of objects for each key.
pub struct Several<K>(BTreeSet<(K, Key)>);

impl<K: Ord> Default for Several<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Clone> Several<K> {
    /// This object goes with this key.
    pub fn insert(&mut self, key: &K, object: &Key) {
        self.0.insert((key.clone(), object.clone()));
    }

    /// It does no more.
    pub fn remove(&mut self, key: &K, object: &Key) {
        self.0.remove(&(key.clone(), object.clone()));
    }

    /// The objects of a key, in the order of their names.
    pub fn of<'a>(&'a self, key: &'a K) -> impl Iterator<Item = &'a Key> {
        let from = self.0.range((key.clone(), Key::default())..);
        from.take_while(move |(one, _)| one == key).map(|(_, object)| object)
    }

    /// Every key that has an object.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_own_objects_and_those_alone() {
        let object = |name: &str| ("n".to_owned(), name.to_owned());
        let mut several = Several::default();
        for (key, name) in [(1, "b"), (2, "x"), (1, "a"), (1, "a"), (3, "y")] {
            several.insert(&key, &object(name));
        }
        assert_eq!(several.of(&1).collect::<Vec<_>>(), [&object("a"), &object("b")]);
        assert_eq!(several.of(&4).count(), 0);
        several.remove(&2, &object("x"));
        assert!(several.of(&2).next().is_none() && several.keys().all(|key| *key != 2));
    }
}
