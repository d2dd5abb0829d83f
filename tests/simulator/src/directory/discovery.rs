//! What a directory says about its kinds of resources: `/ResourceTypes` and `/Schemas` (RFC 7643, sections 6 and 7).

use serde_json::{Value, json};

use super::schema::{Attribute, Kind, Mutability, Type};

/// `/ResourceTypes`.
pub(crate) fn resource_types(kinds: &[&Kind], url: &str) -> Vec<Value> {
    kinds.iter().map(|kind| resource_type(kind, url)).collect()
}

fn resource_type(kind: &Kind, url: &str) -> Value {
    let extensions = kind.extensions.iter().map(|one| json!({"schema": one.name, "required": one.required}));
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "schema": kind.schema,
        "schemaExtensions": extensions.collect::<Vec<_>>(),
        "meta": {"resourceType": "ResourceType", "location": format!("{url}/ResourceTypes/{}", kind.name)},
    })
}

/// `/Schemas`.
pub(crate) fn schemas(kinds: &[&Kind], url: &str) -> Vec<Value> {
    let all = kinds.iter().flat_map(|kind| {
        let extensions = kind.extensions.iter().map(|one| (one.name, "Extension", one.sub));
        std::iter::once((kind.schema, kind.name, kind.attributes)).chain(extensions)
    });
    all.map(|(urn, name, attributes)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": urn,
            "name": name,
            "attributes": attributes.iter().map(attribute).collect::<Vec<_>>(),
            "meta": {"resourceType": "Schema", "location": format!("{url}/Schemas/{urn}")},
        })
    })
    .collect()
}

fn attribute(one: &Attribute) -> Value {
    let mut shown = json!({
        "name": one.name,
        "type": type_name(one.kind),
        "multiValued": one.many,
        "required": one.required,
        "caseExact": one.exact,
        "mutability": mutability(one.mutability),
        "returned": if one.is_hidden() { "never" } else { "default" },
        "uniqueness": if one.name == "userName" { "server" } else { "none" },
    });
    if one.kind == Type::Complex {
        shown["subAttributes"] = one.sub.iter().map(attribute).collect();
    }
    match one.kind {
        Type::Reference if one.among.is_empty() => shown["referenceTypes"] = json!(["external"]),
        Type::Reference => shown["referenceTypes"] = json!(one.among),
        _ if !one.among.is_empty() => shown["canonicalValues"] = json!(one.among),
        _ => {}
    }
    shown
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Text => "string",
        Type::Boolean => "boolean",
        Type::Integer => "integer",
        Type::DateTime => "dateTime",
        Type::Reference => "reference",
        Type::Complex => "complex",
    }
}

fn mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}
