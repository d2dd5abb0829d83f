//! Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644, section 3.9).

use serde_json::{Map, Value};

use super::fault::Fault;
use super::schema::{Kind, Steps};

/// What an answer shows of a resource.
#[derive(Debug)]
pub(crate) enum Projection {
    /// All of it.
    All,
    /// These attributes, and those that are always shown.
    Only(Vec<Steps>),
    /// All but these.
    Without(Vec<Steps>),
}

/// Shown whatever a request asks for.
const ALWAYS: [&str; 2] = ["id", "schemas"];

impl Projection {
    /// What a query asks for.
    pub(crate) fn read(kind: &Kind, only: Option<&str>, without: Option<&str>) -> Result<Self, Fault> {
        let paths = |list: &str| list.split(',').filter_map(|path| kind.steps(path.trim())).collect();
        match (only, without) {
            (Some(_), Some(_)) => {
                Err(Fault::bad("invalidValue", "attributes and excludedAttributes exclude each other"))
            }
            (Some(list), None) => Ok(Self::Only(paths(list))),
            (None, Some(list)) => Ok(Self::Without(paths(list))),
            (None, None) => Ok(Self::All),
        }
    }

    /// A resource as the answer shows it.
    pub(crate) fn of(&self, mut resource: Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::All => resource,
            Self::Without(all) => {
                let taken = all.iter().filter(|steps| steps.first().is_some_and(|one| !ALWAYS.contains(&one.name)));
                taken.for_each(|steps| remove(&mut resource, steps));
                resource
            }
            Self::Only(all) => {
                let mut shown = Map::new();
                for name in ALWAYS {
                    resource.get(name).map(|value| shown.insert(name.to_owned(), value.clone()));
                }
                all.iter().for_each(|steps| copy(&resource, &mut shown, steps));
                shown
            }
        }
    }
}

fn remove(object: &mut Map<String, Value>, steps: &[&'static super::schema::Attribute]) {
    match steps {
        [] => {}
        [last] => drop(object.remove(last.name)),
        [first, rest @ ..] => match object.get_mut(first.name) {
            Some(Value::Object(inner)) => remove(inner, rest),
            Some(Value::Array(items)) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(|inner| remove(inner, rest));
            }
            _ => {}
        },
    }
}

fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, steps: &[&'static super::schema::Attribute]) {
    let Some((first, rest)) = steps.split_first() else { return };
    let Some(value) = from.get(first.name) else { return };
    if rest.is_empty() {
        to.insert(first.name.to_owned(), value.clone());
        return;
    }
    let reduced = |object: &Map<String, Value>, so_far: Option<&Value>| {
        let mut inner = so_far.and_then(Value::as_object).cloned().unwrap_or_default();
        copy(object, &mut inner, rest);
        Value::Object(inner)
    };
    let so_far = to.get(first.name);
    let shown = match value {
        Value::Object(object) => reduced(object, so_far),
        Value::Array(items) => {
            let each = items.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_object()?)));
            each.map(|(at, item)| reduced(item, so_far.and_then(|all| all.get(at)))).collect()
        }
        _ => return,
    };
    to.insert(first.name.to_owned(), shown);
}
