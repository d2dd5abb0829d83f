//! Where a document is known to be wrong or silent, each with what is known instead.

use serde_json::Value;

use super::document::Operation;

/// Documents that give error answers the schema of the good answer, as their generator does when it is told nothing.
/// Recorded errors are `{"error": "…"}`.
pub(crate) const ERRORS_WITHOUT_A_SCHEMA: [&str; 1] = ["SAP XSUAA REST API"];

/// Routes that exist and are missing in the document.
pub(crate) fn undocumented(method: &str, path: &str) -> bool {
    // SAP's own Kubernetes operator renames bindings with it when it rotates credentials. The root of Cloud Foundry's
    // API v3 is in its prose documentation.
    method == "PATCH" && path.starts_with("/v1/service_bindings/") || method == "GET" && path == "/v3"
}

/// Query parameters that exist and are missing in the document.
pub(crate) fn undocumented_query(operation: &Operation<'_>, name: &str) -> bool {
    // The open core of the Service Manager has it on every list; SAP's command line sends it.
    name == "attach_last_operations" && operation.id().starts_with("GET /v1/service_")
}

/// Statuses that occur and are not listed.
pub(crate) fn status(operation: &Operation<'_>, status: u16) -> bool {
    match status {
        // Listed for some operations only, but no API answers without a token; wrong content types and methods are
        // refused before an operation is chosen.
        401 | 405 | 415 => true,
        // Cloud Foundry's limit of requests stands before every route.
        429 => operation.id().contains(" /v3/"),
        // Brokers that do not give parameters back (cloud_controller_ng, `errors/v2.yml`, 90007 and 120004).
        400 if operation.id().ends_with("/{guid}/parameters") => true,
        // A broker's refusal, recorded for `POST /v1/service_instances`. The open core's answers to a request that has
        // waited too long, and to a query that it cannot read.
        502 | 503 | 400 => operation.id().contains("/v1/service_"),
        // The open core answers so when the instance to bind does not exist, the plan to order, or the offering to show.
        404 => matches!(
            operation.id().as_str(),
            "POST /v1/service_bindings"
                | "POST /v1/service_instances"
                | "GET /v1/service_offerings/{serviceOfferingID}"
        ),
        _ => false,
    }
}

/// The content type that the document has for an answer: what refuses too many requests at Cloud Foundry says that its
/// JSON is text (cloud_controller_ng, `middleware/base_rate_limiter.rb`).
pub(crate) fn content_type(status: u16, sent: &str) -> &str {
    if status == 429 && sent.starts_with("text/plain") { "application/json" } else { sent }
}

/// Fields that recorded answers have and the schema has not.
pub(crate) fn extra_field(schema: &str, field: &str) -> bool {
    match field {
        // Recorded with every operation.
        "reschedule_timestamp" => schema == "OperationResponseObject",
        // Recorded with created objects; in lists when `attach_last_operations` asks for it.
        "last_operation" => {
            ["Created", "Updated", "Listed"].iter().any(|kind| schema.starts_with(kind))
                && schema.ends_with("ResponseObject")
        }
        // Documented by SAP for the same API, beside the document; and that users are shown with their groups, which the
        // document's text says and its schema forgets.
        "urn:sap:cloud:scim:schemas:extension:custom:2.0:User" | "groups" => schema == "User",
        // SAP's own Kubernetes operator asks for offerings by it.
        "data_center" => schema == "ServiceOfferingResponseObject",
        // Recorded with a broker's error.
        "broker_error" => schema == "Error",
        _ => cloud_foundry_field(schema, field),
    }
}

/// Fields that the Cloud Controller's source and prose documentation have. Its OpenAPI document, which calls itself an
/// experiment, describes offerings and plans by little more than their guids.
fn cloud_foundry_field(schema: &str, field: &str) -> bool {
    let offering = [
        "name",
        "description",
        "available",
        "tags",
        "shareable",
        "documentation_url",
        "broker_catalog",
        "relationships",
    ];
    let plan = [
        "name",
        "visibility_type",
        "available",
        "free",
        "costs",
        "description",
        "maintenance_info",
        "broker_catalog",
        "schemas",
        "relationships",
    ];
    match schema {
        "ServiceOffering" => offering.contains(&field),
        "ServicePlan" => plan.contains(&field),
        "Space" => field == "suspended",
        "KeyCredentialBinding.links" => field == "parameters",
        // `GET /`, and `GET /v3/info`.
        ".links" => field == "login" || field == "network_policy_v0",
        "" => ["description", "osbapi_version", "rate_limits"].contains(&field),
        // Asked for by `fields[service_plan]` and the like.
        "ServiceInstanceList" => field == "included",
        _ => false,
    }
}

/// Values that are right although the schema says otherwise.
pub(crate) fn excused(operation: &str, schema: &str, at: &str, value: &Value) -> bool {
    // Parameters are described as a map of texts; those of real services are lists, numbers and objects.
    let parameters = schema.ends_with(".parameters.*");
    // Recorded in lower case.
    let operation_type = schema == "OperationResponseObject.type"
        && value.as_str().is_some_and(|kind| ["create", "update", "delete"].contains(&kind));
    // Described as a list; the open core stores one object.
    let errors = schema == "OperationResponseObject.errors" && value.is_object();
    // Described as objects, which is what the generator says when it is told nothing; they are lists.
    let list = at.is_empty()
        && value.is_array()
        && ["GET /sap/rest/user/origin/{origin}/name", "POST /sap/rest/user/bulk"].contains(&operation);
    // Shown as a text in every example of the document.
    let valid_until = at.ends_with("/ValidUntil") && value.is_string();
    parameters || operation_type || errors || list || valid_until
}
