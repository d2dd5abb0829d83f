//! A client and a user of a UAA, of the simulator's imitation and of a real one: their Secrets work, authorities and groups
//! come and go, and a lost Secret is issued anew because a UAA shows a secret to nobody.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::credential::{self, Token};
use crate::harness::uaa::Uaa;
use crate::harness::{PATIENCE, Stage, Team, eventually};

const SECRET: &str = "reports-credentials";
const PASSWORD: &str = "orders-credentials";

fn binding(team: &Team<'_>, authority: &str) -> Value {
    let name = authority.replace('.', "-");
    let role = json!({ "authority": { "name": authority } });
    team.role_binding(&name, &json!({ "technicalUser": { "name": "reports" } }), &[role])
}

fn token(team: &Team<'_>) -> Option<Token> {
    credential::token(&team.secret(SECRET)?).ok()
}

fn carries(team: &Team<'_>, authorities: &[&str]) {
    eventually(&format!("a new token carries {authorities:?}"), PATIENCE, || {
        let mut roles = token(team)?.roles;
        roles.sort();
        (roles == authorities).then_some(())
    });
}

#[test]
fn a_client_and_a_user_work_and_survive_the_loss_of_their_secrets() {
    let team = Team::new(Stage::shared(), "reports");
    let uaa = Uaa::simulated(&team.simulator);
    everything_works(&team, &uaa);
}

#[test]
fn they_do_on_a_real_uaa() {
    let Some(uaa) = Uaa::real() else { return };
    everything_works(&Team::new(Stage::shared(), "reports-real"), &uaa);
}

fn everything_works(team: &Team<'_>, uaa: &Uaa) {
    team.admin_secret("uaa", &uaa.credential);
    let secret = json!({ "name": format!("{}-uaa", team.name) });
    team.apply(&team.platform(&json!({ "uaa": { "url": uaa.url(), "credentialsSecretRef": secret } })));
    // Nobody here uses what was lost.
    let credential = json!({ "secretName": SECRET, "rotation": { "minOverlap": "0s" } });
    team.apply(&team.technical_user("reports", &json!({ "oauthClient": {} }), &credential));
    team.apply(&binding(team, "scim.read"));
    team.apply(&binding(team, "reports.write"));
    let user = json!({ "directoryUser": { "userName": "tu-orders" } });
    team.apply(&team.technical_user("orders", &user, &json!({ "secretName": PASSWORD })));
    team.apply(&membership(team, "tu", &json!({ "technicalUser": { "name": "orders" } })));
    team.apply(&membership(team, "jane", &json!({ "user": { "name": "jane" } })));

    team.ready(&["technicalusers/reports", "rolebindings/scim-read", "rolebindings/reports-write"]);
    team.ready(&["technicalusers/orders", "rolebindings/tu", "rolebindings/jane"]);

    carries(team, &["reports.write", "scim.read"]);
    an_authority_goes_and_comes(team);
    a_lost_secret_is_issued_anew(team);
    a_user_logs_on_and_its_groups_come_and_go(team, uaa);
    team.delete_everything();
    let clients = uaa.list("/oauth/clients");
    let ours = clients.iter().filter(|client| client["tuo_owner"].is_string()).count();
    assert_eq!((ours, is_there(uaa)), (0, false), "nothing of it is left: {clients:?}");
    assert!(uaa.members("orders.read").is_empty());
}

fn membership(team: &Team<'_>, name: &str, subject: &Value) -> Value {
    team.role_binding(name, subject, &[json!({ "groupMembership": { "group": "orders.read" } })])
}

fn is_there(uaa: &Uaa) -> bool {
    uaa.list("/Users").iter().any(|user| user["userName"] == "tu-orders")
}

fn a_user_logs_on_and_its_groups_come_and_go(team: &Team<'_>, uaa: &Uaa) {
    let mut members = uaa.members("orders.read");
    members.sort();
    assert_eq!(members, ["jane", "tu-orders"]);
    let first = team.secret(PASSWORD).expect("the Secret");
    assert_eq!((first["username"].as_str(), first["url"].trim_end_matches('/')), ("tu-orders", uaa.url()));
    team.delete("rolebindings/jane");
    team.gone("rolebindings/jane");
    assert_eq!(uaa.members("orders.read"), ["tu-orders"]);
    team.delete(&format!("secrets/{PASSWORD}"));
    let second = eventually("the Secret is back", PATIENCE, || team.secret(PASSWORD));
    assert_ne!(first["password"], second["password"]);
    if !uaa.is_real() {
        return;
    }
    // The simulator gives no tokens to users.
    let client = json!({
        "client_id": "asks", "client_secret": "planted", "authorized_grant_types": ["password"], "scope": ["orders.read"],
    });
    uaa.call(Method::POST, "/oauth/clients", &client);
    let log_on = |password: &str| {
        let form = [("grant_type", "password"), ("client_id", "asks"), ("client_secret", "planted")];
        uaa.log_on(&[&form[..], &[("username", "tu-orders"), ("password", password)]].concat())
    };
    assert!(log_on(&second["password"]).is_ok());
    assert_eq!(log_on(&first["password"]), Err(401));
}

fn an_authority_goes_and_comes(team: &Team<'_>) {
    team.delete("rolebindings/reports-write");
    team.gone("rolebindings/reports-write");
    carries(team, &["scim.read"]);
    team.apply(&binding(team, "reports.write"));
    carries(team, &["reports.write", "scim.read"]);
}

fn a_lost_secret_is_issued_anew(team: &Team<'_>) {
    let lost = team.secret(SECRET).expect("the Secret");
    team.delete(&format!("secrets/{SECRET}"));
    let found = eventually("the Secret is back", PATIENCE, || team.secret(SECRET));
    assert!(found["clientsecret"] != lost["clientsecret"], "the lost secret again");
    carries(team, &["reports.write", "scim.read"]);
    eventually("the lost one is refused", PATIENCE, || (credential::token(&lost).err() == Some(401)).then_some(()));
}
