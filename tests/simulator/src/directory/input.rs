//! Requests as a directory reads them: names in the schema's spelling, what only the directory writes left out, and
//! nothing that no schema knows.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::schema::{Attribute, Kind, Mutability, Type, named};

/// A resource without what the directory adds.
pub(crate) type Body = Map<String, Value>;

/// The resource that a request describes.
pub(crate) fn resource(kind: &'static Kind, value: Value) -> Result<Body, Fault> {
    let Value::Object(mut fields) = value else {
        return Err(Fault::bad("invalidSyntax", "The request body is not an object"));
    };
    let schemas = fields.remove("schemas").unwrap_or_default();
    known_schemas(kind, &schemas)?;
    let mut body = Body::new();
    for (name, value) in fields {
        let attribute = kind.attribute(&name).ok_or_else(|| unknown(&name))?;
        put(&mut body, attribute, value)?;
    }
    complete(kind, &body)?;
    Ok(body)
}

/// The schemas that a request names: that of the resource, and no stranger.
fn known_schemas(kind: &Kind, schemas: &Value) -> Result<(), Fault> {
    let named: Vec<&str> = schemas.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !named.iter().any(|one| one.eq_ignore_ascii_case(kind.schema)) {
        return Err(Fault::bad("invalidSyntax", format!("The schema {} is missing", kind.schema)));
    }
    let known =
        |one: &str| one.eq_ignore_ascii_case(kind.schema) || super::schema::named(kind.extensions, one).is_some();
    match named.iter().find(|one| !known(one)) {
        Some(stranger) => Err(Fault::bad("invalidValue", format!("The schema {stranger} is not known"))),
        None => Ok(()),
    }
}

/// Refuses a resource that lacks what it must have.
pub(crate) fn complete(kind: &Kind, body: &Body) -> Result<(), Fault> {
    match kind.attributes.iter().find(|one| one.required && !body.contains_key(one.name)) {
        Some(lacking) => Err(Fault::bad("invalidValue", format!("{} is required", lacking.name))),
        None => Ok(()),
    }
}

fn unknown(name: &str) -> Fault {
    Fault::bad("invalidSyntax", format!("The attribute {name} is not known"))
}

fn put(object: &mut Body, attribute: &'static Attribute, value: Value) -> Result<(), Fault> {
    if let Some(value) = values(attribute, value)? {
        object.insert(attribute.name.to_owned(), value);
    }
    Ok(())
}

/// The value of an attribute, or nothing: `null` and an empty list stand for none (RFC 7643, section 2.5), and what
/// only the directory writes is read over.
pub(crate) fn values(attribute: &'static Attribute, value: Value) -> Result<Option<Value>, Fault> {
    if attribute.mutability == Mutability::ReadOnly || value.is_null() {
        return Ok(None);
    }
    if !attribute.many {
        return one(attribute, value).map(Some);
    }
    let Value::Array(items) = value else {
        return Err(Fault::bad("invalidValue", format!("{} is a list", attribute.name)));
    };
    let items: Vec<Value> = items.into_iter().map(|item| one(attribute, item)).collect::<Result<_, _>>()?;
    Ok(Some(items).filter(|items| !items.is_empty()).map(Value::Array))
}

/// One value of an attribute.
pub(crate) fn one(attribute: &'static Attribute, value: Value) -> Result<Value, Fault> {
    let fits = match attribute.kind {
        Type::Text | Type::DateTime | Type::Reference => value.is_string(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.is_i64() || value.is_u64(),
        Type::Complex => value.is_object(),
    };
    match value {
        Value::Object(fields) if fits => {
            let mut object = Body::new();
            // Clients in the wild name an extension's schema inside its value too.
            for (name, value) in fields.into_iter().filter(|(name, _)| name != "schemas") {
                put(&mut object, named(attribute.sub, &name).ok_or_else(|| unknown(&name))?, value)?;
            }
            Ok(Value::Object(object))
        }
        value if fits => Ok(value),
        _ => Err(Fault::bad("invalidValue", format!("{} has a value of a wrong type", attribute.name))),
    }
}
