//! What a Platform is: the subaccount that it first was. A credential that leads elsewhere stops it, and Platforms that
//! are the same place share what is there and what is known of their credentials.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::conditions::condition;
use crate::harness::{PATIENCE, Stage, Team, eventually, never};

/// More than one resync of a story's Platform.
const A_WHILE: Duration = Duration::from_secs(7);

/// The requests that are more than a look, of whichever subaccount.
fn changes(team: &Team<'_>) -> Vec<Value> {
    let is_token = |one: &Value| one["route"].as_str().is_some_and(|route| route.ends_with(".token"));
    let asked = team.simulator.requests().into_iter();
    asked.filter(|one| one["method"] != "GET" && !is_token(one)).collect()
}

#[test]
fn a_credential_of_another_subaccount_is_not_used_until_somebody_accepts_it() {
    let team = Team::on_btp(Stage::shared(), "elsewhere");
    let objects = ["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"];
    team.apply_quickstart();
    team.ready(&objects);
    let platform = team.get("platforms/elsewhere").expect("the Platform");
    let here = platform["status"]["place"].as_str().expect("a place").to_owned();
    let secret = || team.get("secrets/orders-credentials").expect("the Secret")["metadata"]["resourceVersion"].clone();
    let (before, asked_before) = (secret(), changes(&team).len());

    for api in ["xsuaa", "service-manager"] {
        team.admin_secret(api, &team.simulator.credential_of_other(api, "secret"));
    }
    let other = team.simulator.credential_of_other("xsuaa", "secret")["subaccountid"].clone();
    let there = format!("subaccount {}", other.as_str().expect("an id"));
    let says = format!("this Platform is {here}, and its admin credential leads to {there}; nothing is touched there");
    team.until("platforms/elsewhere", "Ready, and says where its Secret leads", |platform| {
        let ready = condition(platform, "Ready").is_some_and(|ready| ready.status == "True");
        ready && condition(platform, "AdminSecretRejected").is_some_and(|said| said.message.contains(&says))
    });
    team.patch("technicalusers/orders", &json!({ "spec": { "description": "look again" } }));
    never("a change of either subaccount", A_WHILE, || changes(&team).get(asked_before).cloned());
    assert_eq!(secret(), before, "the Secret still holds what works");
    // What is to go goes, where it is.
    team.delete("rolebindings/jane-reads");
    team.gone("rolebindings/jane-reads");
    assert!(team.instances_and_keys() == (1, 1) && !team.jane_holds_it());

    let accepted = json!({ "metadata": { "annotations": { "technicaluser.dev/accept-place": there } } });
    team.patch("platforms/elsewhere", &accepted);
    team.until("platforms/elsewhere", "there", |platform| platform["status"]["place"] == there.as_str());
    team.ready(&["platforms/elsewhere", "technicalusers/orders", "rolebindings/orders-may-send"]);
    let made = |kind: &str| team.simulator.state_of_other()["service-manager"][kind].as_array().map(Vec::len);
    eventually("everything is made there", PATIENCE, || (made("bindings") == Some(1)).then_some(()));
    eventually("the Secret holds it", PATIENCE, || (secret() != before).then_some(()));
    assert_eq!(made("instances"), Some(1));
    assert_eq!(team.instances_and_keys(), (1, 1), "what was made in the first one is out of reach");
    team.delete_everything();
    assert_eq!(made("instances"), Some(0));
}

#[test]
fn platforms_of_one_subaccount_share_their_grants() {
    let team = Team::on_btp(Stage::shared(), "one-place");
    let second = "one-place-as-well";
    let mut platform = team.btp();
    platform["metadata"]["name"] = json!(second);
    team.apply(&platform);
    let bindings = ["rolebindings/jane-reads", "rolebindings/jane-reads-as-well"];
    let mut elsewhere = team.jane_reads();
    elsewhere["metadata"]["name"] = json!("jane-reads-as-well");
    elsewhere["spec"]["platformRef"]["name"] = json!(second);

    for [first, last] in [bindings, [bindings[1], bindings[0]]] {
        team.apply(&team.jane_reads());
        team.apply(&elsewhere);
        team.ready(&bindings);
        team.delete(first);
        team.gone(first);
        assert!(team.jane_holds_it(), "{last} wants it");
        team.ready(&[last]);
        never("Jane loses it", Duration::from_secs(2), || (!team.jane_holds_it()).then_some(()));
        team.delete(last);
        team.gone(last);
        assert!(!team.jane_holds_it(), "nobody wants it");
    }
    team.delete(&format!("platforms/{second}"));
    team.gone(&format!("platforms/{second}"));
    team.delete_everything();
}

#[test]
fn three_platforms_with_one_wrong_secret_are_refused_no_more_often_than_one() {
    let team = Team::new(Stage::shared(), "wrong-thrice");
    team.btp_secrets();
    let mut wrong = team.simulator.credential("service-manager", "secret");
    wrong["clientsecret"] = json!("not-the-one");
    team.admin_secret("service-manager", &wrong);
    let names = ["wrong-thrice", "wrong-thrice-2", "wrong-thrice-3"];
    for name in names {
        let mut platform = team.btp();
        platform["metadata"]["name"] = json!(name);
        team.apply(&platform);
    }

    for name in names {
        team.not_ready(&format!("platforms/{name}"), "CredentialsRefused", "calls stop until its Secret changes");
    }
    never("a third refusal", A_WHILE, || {
        let refused = team.requests_of("auth.token").into_iter().filter(|one| one["status"] == 401);
        refused.map(|one| one["time"].clone()).nth(2)
    });

    team.btp_secrets();
    for name in names {
        let platform = format!("platforms/{name}");
        team.ready(&[&platform]);
        team.delete(&platform);
        team.gone(&platform);
    }
    team.delete_everything();
}
