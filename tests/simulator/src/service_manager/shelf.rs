//! All objects of one type, with the indices that keep every look-up and every query by name, parent or label short.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use crate::subaccount::Place;

use super::labels::Labels;
use super::query::Criterion;
use super::refusal::Refusal;

/// What instances and bindings have in common.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// Id.
    pub(crate) id: String,
    /// Name. It is looked for before an object is ordered, and nothing else keeps it unique below its parent.
    pub(crate) name: String,
    /// Labels.
    pub(crate) labels: Labels,
    /// Whether it can be used.
    pub(crate) ready: bool,
    /// When it was ordered.
    pub(crate) created_at: String,
    /// When it last changed.
    pub(crate) updated_at: String,
    /// The latest operation on it.
    pub(crate) last_operation: String,
    /// When its row was written.
    pub(crate) made: Duration,
    /// The subaccount it is in.
    pub(crate) place: &'static Place,
}

/// Most characters of a name or a label in the open core's database.
const LONGEST_TEXT: usize = 255;

impl Base {
    /// Whether the database has room for its name and labels. It is found out when the broker has done its part.
    pub(crate) fn fits(&self) -> Result<(), Refusal> {
        let short = |text: &str| text.chars().count() <= LONGEST_TEXT;
        let fits = short(&self.name) && self.labels.pairs().all(|(key, value)| short(&key) && short(&value));
        if fits { Ok(()) } else { Err(Refusal::internal()) }
    }
}

/// An object on a shelf.
pub(crate) trait Resource {
    /// `/v1/…`: how operations and errors name the type.
    const TYPE: &'static str;
    /// The field that names the parent.
    const PARENT_FIELD: &'static str;

    /// The common part.
    fn base(&self) -> &Base;

    /// Within what a name is looked for.
    fn parent(&self) -> &str;

    /// A field of its own that queries may ask for; `None`: no such field.
    fn field(&self, name: &str) -> Option<String>;
}

type Positions = BTreeSet<u64>;

/// Objects of one type in the order they were made.
pub(crate) struct Shelf<T> {
    items: BTreeMap<u64, T>,
    last: u64,
    by_id: HashMap<String, u64>,
    by_name: HashMap<(String, String), Positions>,
    by_parent: HashMap<String, Positions>,
    by_label: HashMap<(String, String), Positions>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            last: 0,
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            by_parent: HashMap::new(),
            by_label: HashMap::new(),
        }
    }
}

impl<T: Resource> Shelf<T> {
    /// Puts an object on the shelf.
    pub(crate) fn add(&mut self, item: T) {
        self.last += 1;
        self.index(self.last, &item);
        self.items.insert(self.last, item);
    }

    /// The object with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.items.get(self.by_id.get(id)?)
    }

    /// Whether the name is taken below this parent.
    pub(crate) fn is_taken(&self, parent: &str, name: &str) -> bool {
        self.by_name.contains_key(&(parent.to_owned(), name.to_owned()))
    }

    /// How many objects hang on the parent.
    pub(crate) fn count_of(&self, parent: &str) -> usize {
        self.by_parent.get(parent).map_or(0, BTreeSet::len)
    }

    /// Changes an object, whatever the indices say about it.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut T)) {
        let Some(&position) = self.by_id.get(id) else { return };
        let Some(mut item) = self.items.remove(&position) else { return };
        self.forget(position, &item);
        change(&mut item);
        self.index(position, &item);
        self.items.insert(position, item);
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let position = *self.by_id.get(id)?;
        let item = self.items.remove(&position)?;
        self.forget(position, &item);
        Some(item)
    }

    /// All objects, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.values()
    }

    /// Objects that meet all criteria, oldest first, each with its position. Walks the smallest index that helps.
    pub(crate) fn select(&self, fields: &[Criterion], labels: &[Criterion]) -> Vec<(u64, &T)> {
        let meets = |item: &T| {
            fields.iter().all(|criterion| holds_field(item, criterion))
                && labels.iter().all(|criterion| holds_label(item, criterion))
        };
        let candidates: Box<dyn Iterator<Item = (u64, &T)>> = match self.narrowed(fields, labels) {
            Some(positions) => {
                Box::new(positions.into_iter().filter_map(|position| Some((position, self.items.get(&position)?))))
            }
            None => Box::new(self.items.iter().map(|(position, item)| (*position, item))),
        };
        candidates.filter(|(_, item)| meets(item)).collect()
    }

    fn narrowed(&self, fields: &[Criterion], labels: &[Criterion]) -> Option<Positions> {
        let exact = |key: &str| fields.iter().find(|criterion| criterion.key == key).and_then(Criterion::exactly);
        if let Some(id) = exact("id") {
            return Some(self.by_id.get(id).copied().into_iter().collect());
        }
        if let (Some(parent), Some(name)) = (exact(T::PARENT_FIELD).or(self.only_parent()), exact("name")) {
            let key = (parent.to_owned(), name.to_owned());
            return Some(self.by_name.get(&key).cloned().unwrap_or_default());
        }
        if let Some((key, value)) = labels.iter().find_map(|label| Some((label.key.clone(), label.exactly()?))) {
            return Some(self.by_label.get(&(key, value.to_owned())).cloned().unwrap_or_default());
        }
        exact(T::PARENT_FIELD).map(|parent| self.by_parent.get(parent).cloned().unwrap_or_default())
    }

    /// The parent of everything, where all objects have the same one.
    fn only_parent(&self) -> Option<&str> {
        if self.by_parent.len() == 1 { self.by_parent.keys().next().map(String::as_str) } else { None }
    }

    fn index(&mut self, position: u64, item: &T) {
        let (base, parent) = (item.base(), item.parent().to_owned());
        self.by_id.insert(base.id.clone(), position);
        self.by_name.entry((parent.clone(), base.name.clone())).or_default().insert(position);
        self.by_parent.entry(parent).or_default().insert(position);
        for pair in base.labels.pairs() {
            self.by_label.entry(pair).or_default().insert(position);
        }
    }

    fn forget(&mut self, position: u64, item: &T) {
        let (base, parent) = (item.base(), item.parent().to_owned());
        self.by_id.remove(&base.id);
        leave(&mut self.by_name, (parent.clone(), base.name.clone()), position);
        for pair in base.labels.pairs() {
            leave(&mut self.by_label, pair, position);
        }
        leave(&mut self.by_parent, parent, position);
    }
}

fn leave<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Positions>, key: K, position: u64) {
    if let std::collections::hash_map::Entry::Occupied(mut positions) = index.entry(key) {
        positions.get_mut().remove(&position);
        if positions.get().is_empty() {
            positions.remove();
        }
    }
}

fn holds_field<T: Resource>(item: &T, criterion: &Criterion) -> bool {
    let base = item.base();
    let value = match criterion.key.as_str() {
        "id" => Some(base.id.clone()),
        "name" => Some(base.name.clone()),
        "ready" => Some(base.ready.to_string()),
        "created_at" => Some(base.created_at.clone()),
        "updated_at" => Some(base.updated_at.clone()),
        other => item.field(other),
    };
    criterion.holds(value.as_deref())
}

fn holds_label<T: Resource>(item: &T, criterion: &Criterion) -> bool {
    match item.base().labels.0.get(&criterion.key) {
        Some(values) => values.iter().any(|value| criterion.holds(Some(value))),
        None => criterion.holds(None),
    }
}
