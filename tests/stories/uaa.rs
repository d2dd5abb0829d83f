//! A client of a UAA, here the simulator's imitation: its Secret works, authorities come and go, and a lost Secret is
//! issued anew because a UAA shows a secret to nobody.

use serde_json::{Value, json};

use crate::harness::credential::{self, Token};
use crate::harness::{PATIENCE, Stage, Team, eventually};

const SECRET: &str = "reports-credentials";

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
fn a_client_works_follows_its_authorities_and_survives_the_loss_of_its_secret() {
    let team = Team::new(Stage::shared(), "reports");
    team.admin_secret("uaa", &team.simulator.credential("uaa", "secret"));
    let url = format!("{}/uaa", team.simulator.url());
    let environment = json!({ "uaa": { "url": url, "credentialsSecretRef": { "name": "reports-uaa" } } });
    team.apply(&team.platform(&environment));
    team.apply(&team.technical_user("reports", &json!({ "oauthClient": {} }), &json!({ "secretName": SECRET })));
    team.apply(&binding(&team, "scim.read"));
    team.apply(&binding(&team, "reports.write"));

    team.ready(&["technicalusers/reports", "rolebindings/scim-read", "rolebindings/reports-write"]);

    carries(&team, &["reports.write", "scim.read"]);
    an_authority_goes_and_comes(&team);
    a_lost_secret_is_issued_anew(&team);
    team.delete_everything();
    let clients = team.simulator.state()["uaa"]["clients"].clone();
    assert_eq!(clients.as_array().expect("clients").len(), 1, "only the administrator: {clients}");
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
