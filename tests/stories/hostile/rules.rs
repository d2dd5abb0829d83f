//! What the rules of this story allow, said twice: as the Platform has it, and once more by hand. The second judges what
//! the first let happen, and asks nothing of the product.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The rules: narrow ones, with wildcards that come near to what they must not mean.
pub(super) fn access(namespace: &str) -> Value {
    let staff = json!({ "user": { "name": "*@acme.example" } });
    let collection = |name: &str| json!({ "roleCollection": { "name": name } });
    json!([{
        "namespaces": { "names": [namespace] },
        "identities": [
            { "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } },
            { "serviceKey": { "offering": "x*", "plan": "*" } },
            { "existing": { "userName": "svc-*", "origin": "sap.custom" } },
        ],
        "grants": [
            { "roles": [{ "instanceRole": { "offering": "*", "name": "ESBMessaging.*" } }], "to": [{ "technicalUser": {} }] },
            { "roles": [collection("*")], "to": [{ "technicalUser": {} }] },
            { "roles": [collection("PI_Read_Only"), collection("Subaccount *")], "to": [staff] },
            { "roles": [collection("Order Intake Support")],
              "to": [{ "user": { "name": "svc-*", "origin": "sap.custom" } }] },
            { "roles": [collection("PI_Business_Expert")], "to": [{ "group": { "name": "developers", "origin": "sap.custom" } }] },
        ],
    }])
}

/// Whether a user may be given a role collection.
fn may_hold(origin: &str, user: &str, collection: &str) -> bool {
    let user = user.to_lowercase();
    match origin {
        "sap.default" => user.ends_with("@acme.example") && may_be_read_by_staff(collection),
        "sap.custom" => user.starts_with("svc-") && collection == "Order Intake Support",
        _ => false,
    }
}

/// A wildcard means no role collection that administers.
fn may_be_read_by_staff(collection: &str) -> bool {
    const ADMINISTERING: [&str; 2] = ["Subaccount Administrator", "Subaccount Service Administrator"];
    collection == "PI_Read_Only" || collection.starts_with("Subaccount ") && !ADMINISTERING.contains(&collection)
}

/// Whether a group may be given a role collection.
fn may_map(origin: &str, group: &str, collection: &str) -> bool {
    (origin, group, collection) == ("sap.custom", "developers", "PI_Business_Expert")
}

/// Whether instances may carry these parameters.
fn may_carry(parameters: &Value) -> bool {
    let none = serde_json::Map::new();
    parameters.as_object().unwrap_or(&none).iter().all(|(name, value)| match name.as_str() {
        "roles" => value.as_array().is_some_and(|roles| roles.iter().all(is_allowed_role)),
        "grant-types" | "redirect-uris" => true,
        _ => false,
    })
}

fn is_allowed_role(role: &Value) -> bool {
    role.as_str().is_some_and(|role| role.starts_with("ESBMessaging."))
}

/// Whether a token carries no more than it may.
pub(super) fn may_be_told(roles: &[String]) -> bool {
    roles.iter().all(|role| role.starts_with("ESBMessaging.") || role == "uaa.resource")
}

/// What the subaccount held before anything hostile happened: the neighbour's.
pub(super) struct Before {
    /// Ids of instances and bindings.
    ids: BTreeSet<String>,
    /// User, origin and role collection of every assignment.
    held: BTreeSet<Held>,
    /// The plan that may be ordered.
    plan: Value,
}

type Held = (String, String, String);

impl Before {
    pub(super) fn of(state: &Value) -> Self {
        let all = ["instances", "bindings"].into_iter().flat_map(|kind| list(&state["service-manager"][kind]));
        let ids = all.map(|one| text(&one["id"])).collect();
        let plan = state["service-manager"]["instances"][0]["service_plan_id"].clone();
        Self { ids, held: held(state), plan }
    }

    /// What the subaccount holds that the rules do not allow, and what of the neighbour's is gone.
    pub(super) fn breaches(&self, state: &Value) -> Vec<String> {
        let instances = list(&state["service-manager"]["instances"]).iter();
        let instances = instances.filter(|one| !self.ids.contains(&text(&one["id"])));
        let wrong = instances.filter(|one| one["service_plan_id"] != self.plan || !may_carry(&one["parameters"]));
        let mut found: Vec<String> = wrong.map(|one| format!("there is {one}")).collect();
        let now = held(state);
        let more = now.difference(&self.held).filter(|(user, origin, name)| !may_hold(origin, user, name));
        found.extend(more.map(|one| format!("held: {one:?}")));
        found.extend(self.held.difference(&now).map(|one| format!("the neighbour lost {one:?}")));
        let mappings = list(&state["xsuaa"]["roleCollections"]).iter().flat_map(|one| list(&one["mappings"]));
        found.extend(mappings.filter(|one| !is_allowed_mapping(one)).map(|one| format!("mapped: {one}")));
        let all = ["instances", "bindings"].into_iter().flat_map(|kind| list(&state["service-manager"][kind]));
        let there: BTreeSet<String> = all.map(|one| text(&one["id"])).collect();
        found.extend(self.ids.difference(&there).map(|id| format!("the neighbour lost {id}")));
        found
    }

    /// Why a request may not have been made, if it may not. What was refused counts too.
    pub(super) fn breach(&self, request: &Value) -> Option<String> {
        let body = &request["body"];
        let path = text(&request["path"]);
        let parts: Vec<String> =
            path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into()).collect();
        let after = |word: &str| parts.iter().skip_while(|part| *part != word).nth(1).cloned().unwrap_or_default();
        let last = parts.last().cloned().unwrap_or_default();
        let allowed = match text(&request["route"]).as_str() {
            "auth.token" => true,
            "service-manager.create-instance" => body["service_plan_id"] == self.plan && may_carry(&body["parameters"]),
            "service-manager.update-instance" => !self.ids.contains(&last) && may_carry(&body["parameters"]),
            "service-manager.create-binding" => !self.ids.contains(&text(&body["service_instance_id"])),
            "service-manager.delete-instance" | "service-manager.delete-binding" => !self.ids.contains(&last),
            "xsuaa.assign" => may_hold(&after("origin"), &after("name"), &last),
            "xsuaa.unassign" => {
                let theirs = (after("name"), after("origin"), last.clone());
                may_hold(&theirs.1, &theirs.0, &last) && !self.held.contains(&theirs)
            }
            "xsuaa.add-mapping" => {
                let [group, collection] = ["attributeValue", "roleCollectionName"].map(|key| text(&body[key]));
                may_map(&after("identity-providers"), &group, &collection)
            }
            "xsuaa.remove-mapping" => may_map(&after("identity-providers"), &after("equals"), &last),
            _ => request["method"] == "GET",
        };
        (!allowed).then(|| format!("{} {path} {body}", text(&request["method"])))
    }
}

fn held(state: &Value) -> BTreeSet<Held> {
    let users = list(&state["xsuaa"]["users"]).iter();
    let of = |user: &Value| {
        let (name, origin) = (text(&user["username"]), text(&user["origin"]));
        let each = list(&user["roleCollections"]).iter();
        each.map(move |one| (name.clone(), origin.clone(), text(one))).collect::<Vec<_>>()
    };
    users.flat_map(of).collect()
}

fn is_allowed_mapping(mapping: &Value) -> bool {
    let [origin, group, collection] =
        ["idpDisplayName", "attributeValue", "roleCollectionName"].map(|key| text(&mapping[key]));
    may_map(&origin, &group, &collection)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
