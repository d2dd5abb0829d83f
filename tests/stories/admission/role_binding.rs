//! Refusals of RoleBindings.

use serde_json::{Value, json};

use super::{immutable, long, refused, taken, with};

const KIND: &str = "RoleBinding";

fn spec() -> Value {
    json!({
        "platformRef": { "name": "platform-of-admission" },
        "subjects": [{ "user": { "name": "jane@acme.example" } }],
        "roles": [{ "roleCollection": { "name": "PI_Read_Only" } }],
    })
}

fn refuses(pointer: &str, value: Value, words: &[&str]) {
    refused(KIND, &with(&spec(), pointer, value), words);
}

#[test]
fn a_subject_is_exactly_one_and_so_is_a_role() {
    taken(KIND, &spec());
    refuses("/subjects/0", json!({}), &["subjects[0]"]);
    let two = json!({ "user": { "name": "a" }, "group": { "name": "b" } });
    refuses("/subjects/0", two, &["subjects[0]"]);
    refuses("/roles/0", json!({}), &["roles[0]"]);
    let two = json!({ "memberRole": { "name": "a" }, "authority": { "name": "b" } });
    refuses("/roles/0", two, &["roles[0]"]);
}

#[test]
fn roles_of_cloud_foundry_are_of_known_types() {
    let organization = |kind: &str| json!({ "organizationRole": { "organization": "acme", "type": kind } });
    taken(KIND, &with(&spec(), "/roles/0", organization("organization_auditor")));
    refuses("/roles/0", organization("space_auditor"), &["organizationRole.type", "Unsupported value"]);
    let space =
        |space: &str| json!({ "spaceRole": { "organization": "acme", "space": space, "type": "space_auditor" } });
    taken(KIND, &with(&spec(), "/roles/0", space("dev space")));
    refuses("/roles/0", space(" dev"), &["spaceRole.space", "should match"]);
    let nowhere = json!({ "spaceRole": { "organization": "acme", "type": "space_auditor" } });
    refuses("/roles/0", nowhere, &["spaceRole.space", "Required value"]);
}

#[test]
fn lists_are_neither_empty_nor_endless_nor_repetitive() {
    for (list, twice) in
        [("subjects", "a subject is listed twice; list each once"), ("roles", "a role is listed twice; list each once")]
    {
        let one = spec()[list][0].clone();
        let pointer = format!("/{list}");
        refuses(&pointer, Value::Null, &[list, "Required value"]);
        refuses(&pointer, json!([]), &[list, "at least 1 items"]);
        refuses(&pointer, json!([one, one]), &[twice]);
        refuses(&pointer, Value::Array(vec![one; 33]), &[list, "must have at most 32 items"]);
    }
}

#[test]
fn names_have_their_patterns_and_bounds() {
    for name in ["", " a", "a ", "a;b"] {
        refuses("/roles/0/roleCollection/name", json!(name), &["roleCollection.name"]);
        refuses("/subjects/0/user/name", json!(name), &["user.name"]);
    }
    refuses("/roles/0/roleCollection/name", long(10_000), &["roleCollection.name", "may not be more than 255"]);
    refuses("/subjects/0/user/name", long(10_000), &["user.name", "may not be more than 255"]);
    refuses("/subjects/0/user/origin", json!("no origin"), &["user.origin", "should match"]);
    refuses("/subjects/0", json!({ "technicalUser": { "name": "Orders" } }), &["technicalUser.name", "should match"]);
    let role = json!({ "applicationRole": { "application": "a b", "name": "x" } });
    refuses("/roles/0", role, &["applicationRole.application", "should match"]);
    taken(KIND, &with(&spec(), "/roles/0/roleCollection/name", json!("Order Intake Support")));
}

#[test]
fn roles_of_the_identity_itself_cannot_be_left_behind() {
    const MESSAGE: &str = "deletionPolicy Orphan cannot keep an instanceRole or an authority";
    let orphan = with(&spec(), "/deletionPolicy", json!("Orphan"));
    taken(KIND, &orphan);
    for role in ["instanceRole", "authority"] {
        refused(KIND, &with(&orphan, "/roles/0", json!({ role: { "name": "a" } })), &[MESSAGE, "use Delete"]);
    }
}

#[test]
fn the_platform_cannot_be_changed() {
    let other = json!({ "platformRef": { "name": "other" } });
    immutable(KIND, "moved", &spec(), &other, "platformRef cannot be changed; make a new RoleBinding");
}
