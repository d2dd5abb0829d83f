//! Forms of a Secret: what is in them, what is refused, and that the credential can be had from each again.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::super::recover::Held;
use super::*;
use crate::api::IdentityKind;

fn user(credential: &Value) -> TechnicalUser {
    let mut credential = credential.clone();
    credential["secretName"] = json!("s");
    let spec = json!({ "platformRef": { "name": "p" }, "identity": { "oauthClient": {} }, "credential": credential });
    serde_json::from_value(json!({ "metadata": { "name": "x", "namespace": "n" }, "spec": spec })).unwrap()
}

fn shape(credential: &Value) -> Shape {
    Shape::of(&user(credential))
}

fn client() -> Issued {
    let fields = [("clientid", "id"), ("clientsecret", "value"), ("tokenurl", "t"), ("url", "u")];
    let fields = fields.map(|(name, text)| (name.to_owned(), Field::Text(text.into())));
    let mut issued = recover::issued("tuo-1", fields.into());
    issued.provenance.label = "uaa".into();
    issued
}

fn texts(credential: &Value) -> BTreeMap<String, String> {
    let Content(content) = shape(credential).content(&client()).map_err(|error| error.to_string()).unwrap();
    content.into_iter().map(|(key, ByteString(bytes))| (key, String::from_utf8(bytes).unwrap())).collect()
}

fn refusal(credential: &Value) -> (&'static str, String) {
    let Err(error) = shape(credential).content(&client()) else { panic!("{credential} is taken") };
    (error.reason(), error.to_string())
}

fn template(part: Value) -> Value {
    json!({ "secretTemplate": part })
}

#[test]
fn what_is_had_without_asking_is_nothing_to_remember() {
    assert_eq!(shape(&json!({})).layout(), None);
    assert_eq!(shape(&template(json!({ "labels": { "a": "b" }, "type": "Opaque" }))).layout(), None);
    let [one, other] = ["{{ url }}", "{{url}}"].map(|text| shape(&template(json!({ "data": { "a": text } }))).layout());
    assert!(one.is_some() && one != other);
}

#[test]
fn keys_can_change_places_and_two_of_one_name_are_refused() {
    let swapped = texts(&template(json!({ "rename": { "url": "tokenurl", "tokenurl": "url" } })));
    assert_eq!((swapped["url"].as_str(), swapped["tokenurl"].as_str()), ("t", "u"));
    let replaced = template(json!({ "omit": ["url"], "data": { "url": "{{ url }}/api" } }));
    assert_eq!(texts(&replaced)["url"], "u/api");
    for twice in [json!({ "data": { "url": "" } }), json!({ "rename": { "url": "label" } })] {
        assert_eq!(refusal(&template(twice)).0, "TemplateInvalid");
    }
    let (reason, said) = refusal(&template(json!({ "rename": { "host": "h" } })));
    assert!(reason == "FieldMissing" && said.contains("rename.host"), "{said}");
}

#[test]
fn a_type_has_what_it_needs_or_says_what_is_missing() {
    let login = texts(&template(json!({ "type": "kubernetes.io/basic-auth" })));
    assert_eq!((login["username"].as_str(), login["password"].as_str()), ("id", "value"));
    let named =
        texts(&template(json!({ "type": "kubernetes.io/basic-auth", "rename": { "clientsecret": "password" } })));
    assert_eq!((named["password"].as_str(), named.contains_key("clientsecret")), ("value", false));
    let (reason, said) = refusal(&template(json!({ "type": "kubernetes.io/tls" })));
    assert!(reason == "FieldMissing" && said.contains("`tls.crt`") && said.contains("`certificate`"), "{said}");
    let binding = texts(&template(json!({ "type": "servicebinding.io/oauth2" })));
    assert_eq!((binding["type"].as_str(), binding["label"].as_str()), ("oauth2", "uaa"));
}

#[test]
fn the_whole_credential_is_one_key_that_its_readers_know() {
    let whole = texts(&json!({ "form": "Json", "secretTemplate": { "data": { "a": "{{ url }}" } } }));
    let credential: Value = serde_json::from_str(&whole["credentials"]).unwrap();
    assert_eq!(credential, json!({ "clientid": "id", "clientsecret": "value", "tokenurl": "t", "url": "u" }));
    let descriptor: Value = serde_json::from_str(&whole[".metadata"]).unwrap();
    let properties = json!([{ "name": "credentials", "format": "json", "container": true }]);
    assert_eq!((&descriptor["credentialProperties"], whole["a"].as_str()), (&properties, "u"));
}

#[test]
fn a_credential_is_had_again_from_each_form_and_made_into_any_other() {
    let forms = [
        json!({}),
        json!({ "form": "Flat", "secretTemplate": { "type": "kubernetes.io/basic-auth" } }),
        json!({ "form": "Json", "secretTemplate": { "rename": { "credentials": "key.json", "label": "offering" } } }),
        template(json!({ "rename": { "url": "tokenurl", "tokenurl": "url" }, "data": { "a": "{{ clientsecret }}" } })),
    ];
    let fields = fields::known(IdentityKind::OauthClient).unwrap();
    for (from, into) in forms.iter().flat_map(|from| forms.iter().map(move |into| (from, into))) {
        let (Content(content), layout) = (shape(from).content(&client()).ok().unwrap(), shape(from).layout());
        let held = Held { content: &content, layout: layout.as_ref() };
        let again = held.credential("tuo-1", fields, &shape(into)).map_err(|error| error.to_string()).unwrap();
        let Content(content) = shape(into).content(&again).ok().unwrap();
        assert!(content == shape(into).content(&client()).ok().unwrap().0, "{from} into {into}");
    }
}

#[test]
fn what_was_left_out_is_lost_and_nothing_else_is_taken_for_it() {
    let from = template(json!({ "omit": ["url", "label"], "data": { "url": "https://elsewhere" } }));
    let (Content(content), layout) = (shape(&from).content(&client()).ok().unwrap(), shape(&from).layout());
    let held = Held { content: &content, layout: layout.as_ref() };
    let fields = fields::known(IdentityKind::OauthClient).unwrap();
    let into = |part: Value| held.credential("tuo-1", fields, &shape(&template(part))).map_err(|error| error.reason());
    assert_eq!(into(json!({})).err(), Some("ValueLost"));
    assert_eq!(into(json!({ "omit": ["url"] })).err(), Some("ValueLost"), "the label is gone too");
    assert!(into(json!({ "omit": ["url", "label"] })).is_ok_and(|issued| !issued.fields.contains_key("url")));
}

#[test]
fn what_can_be_seen_before_there_is_a_credential_is_said_before() {
    let judged = |credential: &Value, known| shape(credential).judge(known).map_err(|error| error.reason());
    let known = fields::known(IdentityKind::OauthClient);
    let host = template(json!({ "data": { "a": "{{ host }}" } }));
    assert_eq!((judged(&host, known), judged(&host, None)), (Err("FieldMissing"), Ok(())));
    for broken in [json!({ "data": { "a": "{{ url ~ }}" } }), json!({ "data": { "label": "" } })] {
        assert_eq!(judged(&template(broken), None), Err("TemplateInvalid"));
    }
}
