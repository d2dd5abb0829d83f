//! Changes of parts of a resource (RFC 7644, section 3.5.2).

use serde_json::Value;

use super::fault::Fault;
use super::filter::{Filter, Scope};
use super::input::{self, Body};
use super::schema::{Attribute, Kind, Mutability, Steps, below};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// What a path names.
#[derive(Debug)]
struct Target {
    /// The way to the attribute, or to the list whose values the filter chooses.
    steps: Steps,
    /// Which values of that list.
    filter: Option<Filter>,
}

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A resource after all operations of a request.
pub(crate) fn patched(kind: &'static Kind, body: &Body, request: &Value) -> Result<Body, Fault> {
    let named = request["schemas"].as_array().is_some_and(|schemas| schemas.iter().any(|one| one == PATCH_OP));
    let Some(operations) = request["Operations"].as_array().filter(|all| named && !all.is_empty()) else {
        return Err(Fault::bad("invalidSyntax", "The request body is not a PatchOp with operations"));
    };
    let mut body = body.clone();
    for operation in operations {
        apply(kind, &mut body, operation)?;
    }
    input::complete(kind, &body)?;
    Ok(body)
}

fn apply(kind: &'static Kind, body: &mut Body, operation: &Value) -> Result<(), Fault> {
    let op = op(operation)?;
    let value = operation.get("value").cloned();
    if let Some(path) = operation["path"].as_str().filter(|path| !path.is_empty()) {
        let target = target(kind, path)?;
        return change(body, &target.steps, target.filter.as_ref(), op, value.as_ref());
    }
    match (op, value) {
        (Op::Remove, _) => Err(Fault::bad("noTarget", "remove needs a path")),
        (_, Some(Value::Object(fields))) => fields.iter().try_for_each(|(name, value)| {
            let steps = kind.steps(name).ok_or_else(|| invalid_path(name))?;
            change(body, &steps, None, op, Some(value))
        }),
        _ => Err(Fault::bad("invalidValue", "Without a path the value is an object")),
    }
}

fn op(operation: &Value) -> Result<Op, Fault> {
    match operation["op"].as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("add") => Ok(Op::Add),
        Some("replace") => Ok(Op::Replace),
        Some("remove") => Ok(Op::Remove),
        _ => Err(Fault::bad("invalidSyntax", "op is one of add, replace and remove")),
    }
}

fn invalid_path(path: &str) -> Fault {
    Fault::bad("invalidPath", format!("The path {path} is not known"))
}

/// Reads a path: `name.givenName`, `members[value eq "…"]`, `emails[type eq "work"].value`.
fn target(kind: &'static Kind, path: &str) -> Result<Target, Fault> {
    let Some((before, rest)) = path.split_once('[') else {
        return Ok(Target { steps: kind.steps(path).ok_or_else(|| invalid_path(path))?, filter: None });
    };
    let (condition, after) = rest.rsplit_once(']').ok_or_else(|| invalid_path(path))?;
    let mut steps = kind.steps(before).ok_or_else(|| invalid_path(path))?;
    let list = steps.last().copied().filter(|last| last.many).ok_or_else(|| invalid_path(path))?;
    let filter = Filter::parse(condition, Scope::Values(list)).map_err(|_| invalid_path(path))?;
    if !after.is_empty() {
        let sub = after.strip_prefix('.').and_then(|sub| below(list.sub, sub));
        steps.extend(sub.ok_or_else(|| invalid_path(path))?);
    }
    Ok(Target { steps, filter: Some(filter) })
}

fn change(
    object: &mut Body,
    steps: &[&'static Attribute],
    filter: Option<&Filter>,
    op: Op,
    value: Option<&Value>,
) -> Result<(), Fault> {
    let Some((attribute, rest)) = steps.split_first() else { return Ok(()) };
    if attribute.mutability == Mutability::ReadOnly {
        return Err(Fault::bad("mutability", format!("{} is read-only", attribute.name)));
    }
    if attribute.many && (filter.is_some() || !rest.is_empty()) {
        return change_chosen(object, attribute, rest, filter, op, value);
    }
    if rest.is_empty() {
        return change_whole(object, attribute, op, value);
    }
    let inner = object.entry(attribute.name).or_insert_with(|| Value::Object(Body::new()));
    if let Some(inner) = inner.as_object_mut() {
        change(inner, rest, filter, op, value)?;
    }
    if object[attribute.name].as_object().is_some_and(Body::is_empty) {
        object.remove(attribute.name);
    }
    Ok(())
}

/// Changes an attribute that is named without a filter.
fn change_whole(object: &mut Body, attribute: &'static Attribute, op: Op, value: Option<&Value>) -> Result<(), Fault> {
    if op == Op::Remove {
        if attribute.required {
            return Err(Fault::bad("mutability", format!("{} is required", attribute.name)));
        }
        object.remove(attribute.name);
        return Ok(());
    }
    let value = value.cloned().ok_or_else(|| Fault::bad("invalidValue", "The value is missing"))?;
    let value = if attribute.many && value.is_object() { Value::Array(vec![value]) } else { value };
    match (input::values(attribute, value)?, object.get_mut(attribute.name)) {
        (None, _) => drop(object.remove(attribute.name)),
        (Some(Value::Object(new)), Some(Value::Object(old))) => old.extend(new),
        (Some(Value::Array(new)), Some(Value::Array(old))) if op == Op::Add => join(old, new),
        (Some(new), _) => drop(object.insert(attribute.name.to_owned(), new)),
    }
    Ok(())
}

/// Adds the values that are not there yet; a new primary one takes the place of the old one.
fn join(old: &mut Vec<Value>, new: Vec<Value>) {
    let new: Vec<Value> = new.into_iter().filter(|one| !old.contains(one)).collect();
    if new.iter().any(|one| one["primary"] == true) {
        old.iter_mut().filter(|one| one["primary"] == true).for_each(|one| one["primary"] = Value::Bool(false));
    }
    old.extend(new);
}

/// Changes the values of a list that a filter chooses, or all of them; or one attribute of each.
fn change_chosen(
    object: &mut Body,
    list: &'static Attribute,
    rest: &[&'static Attribute],
    filter: Option<&Filter>,
    op: Op,
    value: Option<&Value>,
) -> Result<(), Fault> {
    let chosen = |one: &Value| filter.is_none_or(|filter| one.as_object().is_some_and(|one| filter.holds(one)));
    let mut items = match object.remove(list.name) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    if op != Op::Remove && !items.iter().any(chosen) {
        return Err(Fault::bad("noTarget", format!("No value of {} is meant", list.name)));
    }
    if op == Op::Remove && rest.is_empty() {
        items.retain(|one| !chosen(one));
    } else {
        items.iter_mut().filter(|one| chosen(one)).try_for_each(|one| change_one(one, list, rest, op, value))?;
    }
    if !items.is_empty() {
        object.insert(list.name.to_owned(), Value::Array(items));
    }
    Ok(())
}

/// Changes one value of a list, or one attribute of it.
fn change_one(
    item: &mut Value,
    list: &'static Attribute,
    rest: &[&'static Attribute],
    op: Op,
    value: Option<&Value>,
) -> Result<(), Fault> {
    if !rest.is_empty() {
        return item.as_object_mut().map_or(Ok(()), |item| change(item, rest, None, op, value));
    }
    let new = input::one(list, value.cloned().unwrap_or_default())?;
    match (op, item.as_object_mut(), new) {
        (Op::Add, Some(old), Value::Object(new)) => old.extend(new),
        (_, _, new) => *item = new,
    }
    Ok(())
}
