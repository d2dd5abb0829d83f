//! The quick start, as its files stand: a service key that works as long as its RoleBinding says so, a role collection
//! for a person, every loss and alteration put right, and nothing left at the end.

use serde_json::json;

use crate::harness::conditions::condition;
use crate::harness::{PATIENCE, Stage, Team, credential, eventually, team};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart");
const SECRET: &str = "orders-credentials";

/// The team of the example, with everything applied and Ready.
fn team() -> Team<'static> {
    let stage = Stage::shared();
    let team = Team::new(stage, "orders");
    for api in ["xsuaa", "service-manager"] {
        let credential = json!({ "credentials": team.simulator.credential(api, "secret").to_string() });
        team.apply(&team::secret(
            crate::harness::stage::OPERATOR_NAMESPACE,
            &format!("integration-{api}"),
            &credential,
        ));
    }
    stage.kubectl().ok(&["apply", "--filename", EXAMPLE]);
    for what in ["technicaluser/orders", "rolebindings.technicaluser.dev/orders-may-send", "trb/integration-team"] {
        stage.kubectl().wait("orders", what, "condition=Ready", 60).expect("kubectl wait");
    }
    stage.kubectl().wait("", "platform/integration", "condition=Ready", 60).expect("kubectl wait");
    team
}

fn scopes(team: &Team<'_>) -> Vec<String> {
    credential::token(&team.secret(SECRET).expect("the Secret")).map(|token| token.roles).unwrap_or_default()
}

/// The status of a message sent with a new token; `None` while there is no Secret, or no token for it.
fn send(team: &Team<'_>) -> Option<u16> {
    let secret = team.secret(SECRET)?;
    Some(credential::send(&secret, &credential::token(&secret).ok()?))
}

fn sends(team: &Team<'_>, status: u16) {
    eventually(&format!("a message is answered {status}"), PATIENCE, || (send(team) == Some(status)).then_some(()));
}

#[test]
fn the_quick_start_holds_what_it_promises() {
    let team = team();
    the_secret_is_complete_and_works(&team);
    a_role_comes_and_goes(&team);
    a_deleted_secret_comes_back(&team);
    an_altered_secret_is_put_right(&team);
    drift_is_healed(&team);
    everything_goes(&team);
}

fn the_secret_is_complete_and_works(team: &Team<'_>) {
    let secret = team.secret(SECRET).expect("the Secret");
    for key in ["clientid", "clientsecret", "tokenurl", "url", "type", "provider", ".metadata"] {
        assert!(secret.contains_key(key), "no {key} among {:?}", secret.keys());
    }
    let user = team.get("technicalusers/orders").expect("the user");
    assert_eq!(user["status"]["binding"]["name"], SECRET);
    let object = team.get(&format!("secrets/{SECRET}")).expect("the Secret");
    assert_eq!(object["metadata"]["labels"]["team"], "orders");
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], user["metadata"]["uid"]);
    assert!(scopes(team).contains(&"ESBMessaging.send".to_owned()), "{:?}", scopes(team));
    sends(team, 200);
}

fn a_role_comes_and_goes(team: &Team<'_>) {
    let binding = team.get("rolebindings/orders-may-send").expect("the RoleBinding");
    team.delete("rolebindings/orders-may-send");
    team.gone("rolebindings/orders-may-send");
    sends(team, 403);
    assert!(scopes(team).iter().all(|role| role != "ESBMessaging.send"));
    team.apply(&team::manifest("RoleBinding", "orders", "orders-may-send", &binding["spec"]));
    team.ready(&["rolebindings/orders-may-send"]);
    sends(team, 200);
}

fn a_deleted_secret_comes_back(team: &Team<'_>) {
    let before = team.secret(SECRET).expect("the Secret");
    team.delete(&format!("secrets/{SECRET}"));
    let after = eventually("the Secret is back", PATIENCE, || team.secret(SECRET));
    assert!(before == after, "the credential is another one");
    team.told("orders", "SecretRestored", "it was not there");
}

fn an_altered_secret_is_put_right(team: &Team<'_>) {
    let before = team.secret(SECRET).expect("the Secret");
    team.patch(&format!("secrets/{SECRET}"), &json!({ "stringData": { "clientsecret": "altered", "more": "text" } }));
    eventually("the Secret is right again", PATIENCE, || (team.secret(SECRET).as_ref() == Some(&before)).then_some(()));
    team.told("orders", "SecretRestored", "a-person");
    sends(team, 200);
}

fn drift_is_healed(team: &Team<'_>) {
    assert!(team.jane_holds_it());
    take_from_jane(team);
    assert!(!team.jane_holds_it());
    eventually("Jane's role collection is back", PATIENCE, || team.jane_holds_it().then_some(()));
}

/// Behind the operator's back, with the platform's own API.
fn take_from_jane(team: &Team<'_>) {
    let admin = team.simulator.credential("xsuaa", "secret");
    let text = |key: &str| admin[key].as_str().expect("text").to_owned();
    let keys = ["clientid", "clientsecret", "tokenurl"].map(|key| (key.to_owned(), text(key)));
    let token = credential::token(&keys.into()).unwrap_or_else(|status| panic!("the administrator's token: {status}"));
    let user = "sap/rest/user/origin/sap.default/name/jane%40acme.example/rolecollections/PI_Read_Only";
    assert_eq!(credential::delete(&format!("{}/{user}", text("apiurl")), &token), 200);
}

fn everything_goes(team: &Team<'_>) {
    team.stage.kubectl().ok(&["delete", "--filename", EXAMPLE, "--timeout=60s"]);
    assert!(team.platform_is_empty(), "{:#}", team.simulator.state());
}

#[test]
fn objects_say_how_they_stand_from_the_first_moment() {
    let team = Team::on_btp(Stage::shared(), "standing");
    team.apply(&team.service_key("orders"));
    team.not_ready("technicalusers/orders", "NoRoles", "no RoleBinding gives it a role yet");
    let waiting = team.get("technicalusers/orders").expect("the user");
    assert_eq!(condition(&waiting, "Reconciling").expect("kstatus").status, "True");
    assert_eq!(condition(&waiting, "Stalled"), None);

    team.apply(&team.may_send());

    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);
    let ready = team.get("technicalusers/orders").expect("the user");
    assert_eq!(condition(&ready, "Reconciling"), None);
    let binding = team.get("rolebindings/orders-may-send").expect("the RoleBinding");
    assert_eq!(binding["status"]["granted"], "1/1");
    assert_eq!(binding["status"]["roles"][0]["state"], "Granted");
    team.delete_everything();
    assert!(team.platform_is_empty());
}
