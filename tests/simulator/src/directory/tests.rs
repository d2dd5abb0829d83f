//! Filters, patches and projections over a small schema.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::Fault;
use super::filter::{Filter, Scope};
use super::input::{self, Body};
use super::page::Page;
use super::patch::patched;
use super::projection::Projection;
use super::resource::Resource;
use super::schema::{Attribute, Kind, boolean, complex, integer, list, text};

const NAME: [Attribute; 2] = [text("givenName"), text("familyName")];
const EMAIL: [Attribute; 3] = [text("value"), text("type"), boolean("primary")];
const EXTENSION: [Attribute; 2] = [integer("level"), complex("manager", &[text("value")])];
static ATTRIBUTES: [Attribute; 6] = [
    text("userName").required(),
    text("password").write_only(),
    boolean("active"),
    complex("name", &NAME),
    list("emails", &EMAIL),
    list("groups", &EMAIL).read_only(),
];
static EXTENSIONS: [Attribute; 1] = [complex("urn:x:2.0:User", &EXTENSION)];
static KIND: Kind = Kind {
    name: "User",
    endpoint: "/Users",
    schema: "urn:core:2.0:User",
    attributes: &ATTRIBUTES,
    extensions: &EXTENSIONS,
};

fn user(mut fields: Value) -> Result<Body, Fault> {
    fields["schemas"] = json!(["urn:core:2.0:User"]);
    input::resource(&KIND, fields)
}

fn ann() -> Body {
    user(json!({
        "userName": "Ann", "externalId": "E-1", "active": true, "name": {"givenName": "Ann"},
        "emails": [{"value": "ann@home.example", "type": "home"},
                   {"value": "ann@work.example", "type": "work", "primary": true}],
        "urn:x:2.0:User": {"level": 3, "manager": {"value": "m-1"}},
    }))
    .unwrap()
}

fn wants(filter: &str) -> bool {
    Filter::parse(filter, Scope::Resource(&KIND)).unwrap_or_else(|fault| panic!("{filter}: {fault:?}")).holds(&ann())
}

#[test]
fn filters_hold_as_the_rfc_has_it() {
    for filter in [
        r#"userName eq "ANN""#,
        r#"USERNAME sw "a" and active eq true"#,
        r#"externalId eq "E-1""#,
        r#"urn:core:2.0:User:userName co "n""#,
        "urn:x:2.0:user:level ge 3 and urn:x:2.0:User:level lt 4",
        r#"urn:x:2.0:User:manager.value ew "1""#,
        r#"emails eq "ann@home.example""#,
        r#"emails[type eq "work" and primary eq true]"#,
        r#"not (userName eq "bob") and (active eq false or name.givenName pr)"#,
        r#"active eq false and active eq false or userName eq "ann""#,
        r#"name.familyName ne "x""#,
    ] {
        assert!(wants(filter), "{filter}");
    }
    for filter in [
        r#"userName eq "An""#,
        r#"externalId eq "e-1""#,
        r#"emails[type eq "home" and primary eq true]"#,
        "name.familyName pr",
        r#"userName ne "ann""#,
        r#"active eq true and (userName eq "x" or userName eq "y")"#,
        "urn:x:2.0:User:level gt 3",
    ] {
        assert!(!wants(filter), "{filter}");
    }
}

#[test]
fn rubbish_and_hidden_attributes_are_no_filter() {
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName eq ann",
        r#"userName is "ann""#,
        r#"colour eq "red""#,
        r#"password sw "p""#,
        r#"userName eq "ann"#,
        r#"(userName eq "ann""#,
        r#"userName eq "ann" active eq true"#,
        r#"emails[type eq "work""#,
    ] {
        let fault = Filter::parse(filter, Scope::Resource(&KIND)).expect_err(filter);
        assert_eq!(fault.kind, Some("invalidFilter"), "{filter}");
    }
}

fn after(operations: Value) -> Result<Body, Fault> {
    let request = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    patched(&KIND, &ann(), &request)
}

#[test]
fn operations_change_what_their_path_names() {
    let changed = |operation: Value| Value::Object(after(json!([operation])).unwrap());
    assert_eq!(
        changed(json!({"op": "Replace", "path": "NAME.familyname", "value": "N"}))["name"],
        json!({"givenName": "Ann", "familyName": "N"})
    );
    assert_eq!(changed(json!({"op": "remove", "path": "name.givenName"}))["name"], Value::Null);
    assert_eq!(changed(json!({"op": "add", "value": {"active": false}}))["active"], false);
    assert_eq!(changed(json!({"op": "add", "path": "urn:x:2.0:User:level", "value": 4}))["urn:x:2.0:User"]["level"], 4);
    assert_eq!(changed(json!({"op": "remove", "path": "urn:x:2.0:User"}))["urn:x:2.0:User"], Value::Null);
    let gone = changed(json!({"op": "remove", "path": r#"emails[type eq "home"]"#}));
    assert_eq!(gone["emails"], json!([{"value": "ann@work.example", "type": "work", "primary": true}]));
    let one = changed(json!({"op": "replace", "path": r#"emails[type eq "home"].value"#, "value": "new"}));
    assert_eq!((&one["emails"][0]["value"], &one["emails"][1]["value"]), (&json!("new"), &json!("ann@work.example")));
}

#[test]
fn what_is_added_twice_is_there_once_and_one_value_is_primary() {
    let home = json!({"value": "ann@home.example", "type": "home"});
    let same = Value::Object(after(json!([{"op": "add", "path": "emails", "value": [home]}])).unwrap());
    assert_eq!(same["emails"].as_array().unwrap().len(), 2);
    let other = json!({"value": "c", "primary": true});
    let more = Value::Object(after(json!([{"op": "add", "path": "emails", "value": [other]}])).unwrap());
    let primary: Vec<&Value> = more["emails"].as_array().unwrap().iter().filter(|one| one["primary"] == true).collect();
    assert_eq!(primary, [&json!({"value": "c", "primary": true})]);
}

#[test]
fn operations_that_cannot_be_done_say_why_and_change_nothing() {
    for (operation, kind) in [
        (json!({"op": "move", "path": "active"}), "invalidSyntax"),
        (json!({"op": "remove"}), "noTarget"),
        (json!({"op": "replace", "path": r#"emails[type eq "other"].value"#, "value": "x"}), "noTarget"),
        (json!({"op": "replace", "path": "colour", "value": "red"}), "invalidPath"),
        (json!({"op": "replace", "path": "groups", "value": []}), "mutability"),
        (json!({"op": "remove", "path": "userName"}), "mutability"),
        (json!({"op": "replace", "path": "active", "value": "yes"}), "invalidValue"),
        (json!({"op": "replace", "path": "active"}), "invalidValue"),
    ] {
        let fault = after(json!([{"op": "replace", "path": "active", "value": false}, operation])).unwrap_err();
        assert_eq!(fault.kind, Some(kind), "{operation}");
    }
}

#[test]
fn a_request_is_read_in_the_schemas_spelling_and_nothing_else_passes() {
    let body =
        user(json!({"USERNAME": "a", "groups": [{"value": "x"}], "id": "mine", "emails": [], "name": null})).unwrap();
    assert_eq!(Value::Object(body), json!({"userName": "a"}));
    for (fields, kind) in [
        (json!({"active": true}), "invalidValue"),
        (json!({"userName": 1}), "invalidValue"),
        (json!({"userName": "a", "colour": "red"}), "invalidSyntax"),
        (json!({"userName": "a", "emails": {"value": "x"}}), "invalidValue"),
    ] {
        assert_eq!(user(fields.clone()).unwrap_err().kind, Some(kind), "{fields}");
    }
    let repeated =
        user(json!({"userName": "a", "urn:x:2.0:User": {"schemas": ["urn:x:2.0:User"], "level": 1}})).unwrap();
    assert_eq!(repeated["urn:x:2.0:User"], json!({"level": 1}));
    let stranger = json!({"schemas": ["urn:core:2.0:User", "urn:y"], "userName": "a"});
    assert!(input::resource(&KIND, stranger).is_err() && input::resource(&KIND, json!({"userName": "a"})).is_err());
}

#[test]
fn answers_show_what_is_asked_for_and_never_a_password() {
    let mut body = ann();
    body.insert("password".to_owned(), json!("planted-1"));
    let shown = Resource::new(&KIND, body, Duration::from_secs(1)).shown(&KIND, "http://d");
    assert!(!shown.contains_key("password"));
    assert_eq!(shown["schemas"], json!(["urn:core:2.0:User", "urn:x:2.0:User"]));
    let project = |only, without| Value::Object(Projection::read(&KIND, only, without).unwrap().of(shown.clone()));
    let only = project(Some("emails.value,emails.type,urn:x:2.0:User:level,colour"), None);
    assert_eq!(only["emails"][1], json!({"value": "ann@work.example", "type": "work"}));
    assert_eq!(only["urn:x:2.0:User"], json!({"level": 3}));
    assert!(only["id"].is_string() && only["userName"].is_null());
    let without = project(None, Some("emails.value,userName,id"));
    assert_eq!(without["emails"][0], json!({"type": "home"}));
    assert!(without["id"].is_string() && without["userName"].is_null());
    assert!(Projection::read(&KIND, Some("id"), Some("id")).is_err());
}

#[test]
fn pages_begin_at_one_and_never_grow_beyond_the_most() {
    let page =
        |start, count| Page::read(start, count, 3).map(|page| page.of(&[1, 2, 3, 4, 5]).copied().collect::<Vec<_>>());
    assert_eq!(page(None, None), Ok(vec![1, 2, 3]));
    assert_eq!(page(Some("-7"), Some("2")), Ok(vec![1, 2]));
    assert_eq!(page(Some("5"), Some("900")), Ok(vec![5]));
    assert_eq!(page(Some("6"), Some("-1")), Ok(vec![]));
    assert!(page(Some("a"), None).is_err());
}
