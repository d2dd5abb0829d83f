//! A Swagger 2.0 document in the form of OpenAPI 3: bodies under their content types, queries with schemas. References stay as
//! they are.

use serde_json::{Map, Value, json};

/// The only content type of these documents.
const JSON: &str = "application/json";

/// The same document as OpenAPI 3; one that is not Swagger 2.0 is left alone.
pub(super) fn lifted(mut document: Value) -> Value {
    if document["swagger"] != "2.0" {
        return document;
    }
    objects(&mut document["responses"]).for_each(lift_response);
    for operations in objects(&mut document["paths"]) {
        objects(operations).for_each(lift_operation);
    }
    document
}

fn lift_operation(operation: &mut Value) {
    objects(&mut operation["responses"]).for_each(lift_response);
    let mut body = None;
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        match parameter["in"].as_str() {
            Some("body") => body = Some(json!({"content": {JSON: {"schema": parameter["schema"]}}})),
            Some("query") => parameter["schema"] = json!({"type": parameter["type"]}),
            _ => {}
        }
    }
    if let (Some(body), Value::Object(operation)) = (body, operation) {
        operation.insert("requestBody".to_owned(), body);
    }
}

fn lift_response(response: &mut Value) {
    if let Some(schema) = response.as_object_mut().and_then(|response| response.remove("schema")) {
        response["content"] = json!({JSON: {"schema": schema}});
    }
}

fn objects(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|one| one.is_object())
}
