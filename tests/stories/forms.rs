//! The form of the Secret: asked for from the beginning or changed later, it never costs a credential; and what can never be is
//! said before one is issued.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::api::IdentityKind;
use technical_user_operator::plan::fields;

use crate::harness::certificate::Pair;
use crate::harness::credential::token;
use crate::harness::uaa::Uaa;
use crate::harness::{PATIENCE, Stage, Team, eventually, never};
use crate::neo::tenant;

const SECRET: &str = "orders-credentials";

type Texts = BTreeMap<String, String>;

/// Gives the credential of a TechnicalUser another form.
fn reform(team: &Team<'_>, name: &str, credential: &Value) {
    team.patch(&format!("technicalusers/{name}"), &json!({ "spec": { "credential": credential } }));
}

/// Waits until a Secret is as it shall be.
fn becomes(team: &Team<'_>, secret: &str, what: &str, is_right: impl Fn(&Texts) -> bool) -> Texts {
    eventually(&format!("Secret {secret} {what}"), PATIENCE, || team.secret(secret).filter(|texts| is_right(texts)))
}

/// The number of the issue that a Secret holds.
fn sequence(team: &Team<'_>, secret: &str) -> Value {
    let secret = team.get(&format!("secrets/{secret}")).expect("the Secret");
    secret["metadata"]["annotations"]["technicaluser.dev/sequence"].clone()
}

fn kind(team: &Team<'_>, secret: &str) -> Value {
    team.get(&format!("secrets/{secret}")).expect("the Secret")["type"].clone()
}

#[test]
fn another_form_is_written_and_no_credential_is_issued_for_it() {
    let team = Team::on_btp(Stage::shared(), "forms");
    team.apply(&team.service_key("orders"));
    team.apply(&team.may_send());
    team.ready(&["technicalusers/orders"]);
    let before = team.secret(SECRET).expect("the Secret");

    reform(&team, "orders", &json!({ "form": "Flat" }));
    let flat = becomes(&team, SECRET, "is flat", |texts| !texts.contains_key(".metadata"));
    assert!(before.iter().all(|(key, value)| key == ".metadata" || flat.get(key) == Some(value)));
    assert_eq!(flat.len(), before.len() - 1);
    team.told("orders", "SecretRewritten", "another form is asked for");

    reform(&team, "orders", &json!({ "form": "Json" }));
    let whole = becomes(&team, SECRET, "is JSON", |texts| texts.contains_key("credentials"));
    let credential: Value = serde_json::from_str(&whole["credentials"]).expect("JSON");
    assert_eq!(credential["clientsecret"], before["clientsecret"].as_str());
    assert!(!whole.contains_key("clientsecret"));

    it_has_further_keys_and_other_names(&team, &before);
    what_is_wrong_leaves_what_works(&team);
    assert_eq!((team.instances_and_keys(), sequence(&team, SECRET)), ((1, 1), json!("1")));
    let issued = team.events("orders").into_iter().filter(|(_, told)| told.contains("issued credential")).count();
    assert_eq!(issued, 1, "{:?}", team.events("orders"));
    team.delete_everything();
}

fn it_has_further_keys_and_other_names(team: &Team<'_>, before: &Texts) {
    let netrc = "machine {{ technicalUser.namespace }} login {{ clientid }} password {{ clientsecret }}\n";
    let data = json!({
        "url.txt": "https://{{ clientid | urlencode }}@{{ url }}",
        ".netrc": netrc,
        "config.json": "{\"secret\":{{ clientsecret | tojson }}}",
    });
    let template = json!({ "data": data, "rename": { "clientsecret": "password" }, "omit": ["tags"] });
    reform(team, "orders", &json!({ "form": "Descriptor", "secretTemplate": template }));
    let texts = becomes(team, SECRET, "has further keys", |texts| texts.contains_key(".netrc"));
    let (id, value) = (&before["clientid"], &before["clientsecret"]);
    assert_eq!(texts[".netrc"], format!("machine forms login {id} password {value}\n"));
    assert!(texts["url.txt"].contains("%21") && texts["url.txt"].contains("%7C"), "{}", texts["url.txt"]);
    let config: Value = serde_json::from_str(&texts["config.json"]).expect("JSON");
    assert_eq!((&texts["password"], config["secret"].as_str()), (value, Some(value.as_str())));
    assert!(!texts.contains_key("clientsecret") && !texts.contains_key("tags"));
    let descriptor: Value = serde_json::from_str(&texts[".metadata"]).expect("JSON");
    let properties = descriptor["credentialProperties"].to_string();
    assert!(properties.contains("password") && properties.contains(".netrc") && !properties.contains("clientsecret"));
    team.ready(&["technicalusers/orders"]);
}

fn what_is_wrong_leaves_what_works(team: &Team<'_>) {
    let before = team.secret(SECRET).expect("the Secret");
    let data = |text: &str| json!({ "secretTemplate": { "data": { "url.txt": text } } });
    let wrong = [
        (data("{{ database }}"), "FieldMissing", "secretTemplate.data.url.txt: it uses `database`"),
        (data("{{ clientid ~ }}"), "TemplateInvalid", "secretTemplate.data.url.txt: syntax error"),
        (data("{{ clientid | upcase }}"), "TemplateInvalid", "unknown filter"),
        (json!({ "secretTemplate": { "rename": { "clientid": "url" } } }), "TemplateInvalid", "two keys `url`"),
        (json!({ "secretTemplate": { "rename": { "host": "h" } } }), "FieldMissing", "names `host`"),
    ];
    for (credential, reason, part) in wrong {
        reform(team, "orders", &credential);
        team.not_ready("technicalusers/orders", reason, part);
        assert_eq!(team.secret(SECRET).as_ref(), Some(&before), "what works stays");
        let user = team.get("technicalusers/orders").expect("the user").to_string();
        assert!(!user.contains(&before["password"]), "no value is told");
        reform(team, "orders", &json!({ "secretTemplate": { "rename": { "host": null, "clientid": null } } }));
    }
    reform(team, "orders", &json!({ "secretTemplate": null }));
    becomes(team, SECRET, "is rid of what left the template", |texts| {
        let gone = ["url.txt", ".netrc", "config.json", "password"].iter().all(|key| !texts.contains_key(*key));
        gone && texts.contains_key("clientsecret") && texts.contains_key("tags")
    });
    team.ready(&["technicalusers/orders"]);
}

#[test]
fn what_can_never_be_is_said_before_anything_is_issued() {
    let team = Team::on_btp(Stage::shared(), "formless");
    let mut user = team.service_key("orders");
    user["spec"]["credential"]["secretTemplate"] = json!({ "data": { "a": "{{ clientid ~ }}" } });
    team.apply(&user);
    team.apply(&team.may_send());
    team.not_ready("technicalusers/orders", "TemplateInvalid", "secretTemplate.data.a: syntax error");
    let provenance = json!({ "data": { "a": null, "label": "mine" } });
    reform(&team, "orders", &json!({ "secretTemplate": provenance }));
    team.not_ready("technicalusers/orders", "TemplateInvalid", "two keys `label`");
    assert_eq!(team.instances_and_keys(), (0, 0));
    team.delete_everything();
}

/// A team on the simulator's UAA, with a client and a user.
fn on_uaa(name: &str, client: &Value, user: &Value) -> Team<'static> {
    let team = Team::new(Stage::shared(), name);
    let uaa = Uaa::simulated(&team.simulator);
    team.admin_secret("uaa", &uaa.credential);
    let secret = json!({ "name": format!("{name}-uaa") });
    team.apply(&team.platform(&json!({ "uaa": { "url": uaa.url(), "credentialsSecretRef": secret } })));
    team.apply(&team.technical_user("reports", &json!({ "oauthClient": {} }), client));
    team.apply(&team.technical_user("orders", &json!({ "directoryUser": { "userName": "tu-orders" } }), user));
    team
}

#[test]
fn a_value_that_is_shown_once_takes_another_form_from_its_own_secret() {
    let binding = json!({ "type": "servicebinding.io/oauth2" });
    let client = json!({ "secretName": "reports-credentials", "secretTemplate": binding });
    let login = json!({ "type": "kubernetes.io/basic-auth" });
    let team = on_uaa("forms-once", &client, &json!({ "secretName": SECRET, "secretTemplate": login }));
    team.ready(&["technicalusers/reports", "technicalusers/orders"]);
    assert_eq!(kind(&team, SECRET), "kubernetes.io/basic-auth");
    assert_eq!(kind(&team, "reports-credentials"), "servicebinding.io/oauth2");
    let client = team.secret("reports-credentials").expect("the Secret");
    let user = team.secret(SECRET).expect("the Secret");
    assert_eq!((client["type"].as_str(), client["label"].as_str()), ("oauth2", "uaa"));
    the_fields_are_those_that_were_known_before(&client, IdentityKind::OauthClient);
    the_fields_are_those_that_were_known_before(&user, IdentityKind::DirectoryUser);

    for form in ["Json", "Flat", "Descriptor"] {
        for name in ["reports", "orders"] {
            reform(&team, name, &json!({ "form": form }));
        }
        let is_right = |texts: &Texts| {
            texts.contains_key("credentials") == (form == "Json") && texts.contains_key(".metadata") == (form != "Flat")
        };
        becomes(&team, "reports-credentials", form, is_right);
        assert_eq!(becomes(&team, SECRET, form, is_right)["password"], user["password"], "its type needs it");
    }
    assert_eq!((team.secret("reports-credentials"), team.secret(SECRET)), (Some(client.clone()), Some(user)));

    let template = json!({ "rename": { "clientsecret": "password", "clientid": "username" }, "omit": ["url"] });
    reform(&team, "reports", &json!({ "secretTemplate": template }));
    let renamed = becomes(&team, "reports-credentials", "has other names", |texts| texts.contains_key("password"));
    assert!(renamed["password"] == client["clientsecret"] && !renamed.contains_key("url"));
    a_key_that_was_left_out_is_not_made_up(&team, &client);
    team.delete_everything();
}

/// What can be refused before an issue, and read again from the Secret, rests on them.
fn the_fields_are_those_that_were_known_before(secret: &Texts, kind: IdentityKind) {
    let descriptor: Value = serde_json::from_str(&secret[".metadata"]).expect("JSON");
    let properties = descriptor["credentialProperties"].as_array().expect("a list");
    let mut names: Vec<&str> = properties.iter().map(|one| one["name"].as_str().expect("a name")).collect();
    let mut known = fields::known(kind).expect("known").to_vec();
    names.sort_unstable();
    known.sort_unstable();
    assert_eq!(names, known);
}

fn a_key_that_was_left_out_is_not_made_up(team: &Team<'_>, client: &Texts) {
    reform(team, "reports", &json!({ "secretTemplate": { "rename": null, "omit": null } }));
    team.not_ready("technicalusers/reports", "ValueLost", "the Secret does not hold `url` any more");
    assert_eq!(sequence(team, "reports-credentials"), "1");
    assert!(token(client).is_ok(), "the client's secret is the one that it was");
    team.delete("secrets/reports-credentials");
    team.ready(&["technicalusers/reports"]);
    let texts = becomes(team, "reports-credentials", "is whole", |texts| texts.contains_key("url"));
    assert!(texts["clientsecret"] != client["clientsecret"] && token(&texts).is_ok());
}

#[test]
fn what_the_credential_will_not_have_is_known_before_it_is_issued() {
    let tls = json!({ "secretName": "reports-credentials", "secretTemplate": { "type": "kubernetes.io/tls" } });
    let data = json!({ "jdbc": "jdbc:postgresql://{{ host }}/" });
    let team = on_uaa("forms-known", &tls, &json!({ "secretName": SECRET, "secretTemplate": { "data": data } }));
    let needs = "a Secret of type kubernetes.io/tls needs `tls.crt`";
    team.not_ready("technicalusers/reports", "FieldMissing", needs);
    team.not_ready("technicalusers/orders", "FieldMissing", "secretTemplate.data.jdbc: it uses `host`");
    let uaa = Uaa::simulated(&team.simulator);
    assert!(uaa.list("/Users").iter().all(|user| user["userName"] != "tu-orders"));
    assert!(uaa.list("/oauth/clients").iter().all(|client| !client["tuo_owner"].is_string()));
    only_the_value_shows_it(&team);
    team.delete_everything();
}

/// A template that only the value itself shows to be wrong costs one credential, and not one for each try.
fn only_the_value_shows_it(team: &Team<'_>) {
    let text = "{{ url if password[:4] == '0123' else host }}";
    reform(team, "orders", &json!({ "secretTemplate": { "data": { "jdbc": text } } }));
    let issued = || team.get("technicalusers/orders").expect("the user")["status"]["intent"]["sequence"].clone();
    eventually("one is issued", PATIENCE, || (issued() == 1).then_some(()));
    // The same was said of the spec before: what counts is that it is said of this one.
    team.until("technicalusers/orders", "not Ready as it is now", |user| {
        let mut conditions = user["status"]["conditions"].as_array().into_iter().flatten();
        let said = conditions.find(|one| one["type"] == "Ready" && one["reason"] == "FieldMissing");
        said.is_some_and(|one| one["observedGeneration"] == user["metadata"]["generation"])
    });
    team.patch("technicalusers/orders", &json!({ "metadata": { "annotations": { "try": "again" } } }));
    never("another is issued", Duration::from_secs(5), || (issued() != 1).then_some(issued()));
    reform(team, "orders", &json!({ "secretTemplate": { "data": { "jdbc": "{{ url }}" } } }));
    team.ready(&["technicalusers/orders"]);
}

#[test]
fn a_certificate_is_a_secret_for_tls() {
    let team = Team::new(Stage::shared(), "forms-tls");
    team.simulator.settings(&json!({ "neoRequestsPerMinute": null }));
    team.admin_secret("neo", &team.simulator.credential("neo", "secret"));
    team.admin_secret("tenant", &team.simulator.credential("cloud-integration", "secret"));
    team.apply(&team.platform(&tenant(&team, team.simulator.url())));
    let pair = Pair::new();
    team.apply(&pair.secret(&team.name, "intake-tls"));
    let template = json!({ "type": "kubernetes.io/tls", "omit": ["ca.crt"] });
    let certificate = json!({ "sourceSecretRef": { "name": "intake-tls" } });
    let credential =
        json!({ "secretName": SECRET, "form": "Flat", "secretTemplate": template, "certificate": certificate });
    team.apply(&team.technical_user("intake", &json!({ "certificateUser": { "userName": "tu-intake" } }), &credential));
    team.ready(&["technicalusers/intake"]);
    let texts = team.secret(SECRET).expect("the Secret");
    assert_eq!((kind(&team, SECRET), &texts["tls.key"]), (json!("kubernetes.io/tls"), &pair.key));
    assert!(!texts.contains_key("ca.crt") && !texts.contains_key(".metadata"));
    team.delete_everything();
}
