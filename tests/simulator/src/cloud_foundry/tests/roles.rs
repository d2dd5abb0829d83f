//! Roles, and the users they are for.

use serde_json::{Value, json};

use super::Landscape;
use crate::testing::Answer;

fn person(name: &str, origin: &str) -> Value {
    json!({"data": {"username": name, "origin": origin}})
}

impl Landscape {
    async fn give(&self, kind: &str, user: &Value, place: &str) -> Answer {
        let of = if kind.starts_with("space") { "space" } else { "organization" };
        let relationships = json!({"user": user, of: {"data": {"guid": place}}});
        self.post("/v3/roles", json!({"type": kind, "relationships": relationships})).await
    }

    /// Gives a role and expects this refusal.
    async fn refused(&self, kind: &str, user: &Value, place: &str, text: &str) {
        let answer = self.give(kind, user, place).await;
        let error = &answer.body["errors"][0];
        assert_eq!(
            (answer.status, &error["code"], &error["title"]),
            (422, &json!(10008), &json!("CF-UnprocessableEntity"))
        );
        assert_eq!(error["detail"], text);
    }
}

const STRANGER: &str =
    "Users cannot be assigned roles in a space if they do not have a role in that space's organization.";

#[tokio::test]
async fn a_role_is_given_once() {
    let landscape = Landscape::start().await;
    let (acme, space) = (landscape.organization("acme").await, landscape.space("integration").await);
    let joe = person("joe@acme.example", "acme-platform");
    landscape.refused("space_developer", &joe, &space, STRANGER).await;
    assert_eq!(landscape.get("/v3/users?usernames=joe@acme.example").await.body["pagination"]["total_results"], 0);
    let given = landscape.give("organization_user", &joe, &acme).await;
    assert_eq!((given.status, &given.body["type"]), (201, &json!("organization_user")));
    assert_eq!(given.body["relationships"]["space"], json!({"data": null}));
    let twice = "User 'joe@acme.example' already has 'organization_user' role in organization 'acme'.";
    landscape.refused("organization_user", &joe, &acme, twice).await;
    assert_eq!(landscape.give("space_developer", &joe, &space).await.status, 201);
    let twice = "User 'joe@acme.example' already has 'space_developer' role in space 'integration'.";
    landscape.refused("space_developer", &joe, &space, twice).await;
    assert_eq!(
        landscape.get("/v3/users?usernames=JOE@acme.example&origins=acme-platform").await.body["pagination"]["total_results"],
        1
    );
}

#[tokio::test]
async fn a_name_must_say_who_and_exist() {
    let landscape = Landscape::start().await;
    let acme = landscape.organization("acme").await;
    let jane = json!({"data": {"username": "jane@acme.example"}});
    let ambiguous = "Ambiguous user. User with username 'jane@acme.example' exists in the following origins: \
                     acme-platform, sap.ids. Specify an origin to disambiguate.";
    landscape.refused("organization_user", &jane, &acme, ambiguous).await;
    let nobody = person("nobody@acme.example", "acme-platform");
    let unknown = "No user exists with the username 'nobody@acme.example' and origin 'acme-platform'.";
    landscape.refused("organization_user", &nobody, &acme, unknown).await;
    let space = landscape.space("integration").await;
    landscape.refused("space_developer", &nobody, &space, STRANGER).await;
    landscape.world.set(json!({"cloudFoundryUnknownUsers": "created"})).await;
    assert_eq!(landscape.give("organization_user", &nobody, &acme).await.status, 201);
    let own = person("nobody@acme.example", "uaa");
    let unknown = "No user exists with the username 'nobody@acme.example' and origin 'uaa'.";
    landscape.refused("organization_user", &own, &acme, unknown).await;
}

#[tokio::test]
async fn a_client_is_a_user_whose_guid_is_its_id() {
    let landscape = Landscape::start().await;
    let (acme, space) = (landscape.organization("acme").await, landscape.space("monitoring").await);
    let client = json!({"data": {"guid": "sb-client!b1"}});
    landscape.refused("space_auditor", &client, &space, STRANGER).await;
    assert_eq!(landscape.give("organization_user", &client, &acme).await.status, 201);
    assert_eq!(landscape.give("space_auditor", &client, &space).await.status, 201);
    let user = landscape.get("/v3/users/sb-client!b1").await.body;
    assert_eq!((&user["username"], &user["presentation_name"]), (&Value::Null, &json!("sb-client!b1")));
}

#[tokio::test]
async fn a_role_goes_when_its_job_is_done_and_not_before_those_in_spaces() {
    let landscape = Landscape::start().await;
    landscape.world.set(json!({"jobMillis": 60_000})).await;
    let (acme, space) = (landscape.organization("acme").await, landscape.space("integration").await);
    let joe = person("joe@acme.example", "acme-platform");
    let member = landscape.give("organization_user", &joe, &acme).await.body;
    let developer = landscape.give("space_developer", &joe, &space).await.body;
    let path = |role: &Value| format!("/v3/roles/{}", role["guid"].as_str().unwrap());
    let refused = landscape.delete(&path(&member)).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["detail"]),
        (422, &json!("Cannot delete organization_user role while user has roles in spaces in that organization."))
    );
    let accepted = landscape.delete(&path(&developer)).await;
    assert_eq!(landscape.job(&accepted).await["state"], "PROCESSING");
    assert_eq!(landscape.get(&path(&developer)).await.status, 200, "it is still there");
    landscape.world.frame.clock.advance(std::time::Duration::from_mins(1));
    let done = landscape.job(&accepted).await;
    assert_eq!((&done["state"], &done["operation"]), (&json!("COMPLETE"), &json!("role.delete")));
    assert_eq!(landscape.delete(&path(&developer)).await.status, 404);
    assert_eq!(landscape.delete(&path(&member)).await.status, 202);
}

#[tokio::test]
async fn roles_are_found_by_what_they_are() {
    let landscape = Landscape::start().await;
    let acme = landscape.organization("acme").await;
    let joe = person("joe@acme.example", "acme-platform");
    let given = landscape.give("organization_auditor", &joe, &acme).await.body;
    let joe = given["relationships"]["user"]["data"]["guid"].as_str().unwrap();
    let path = format!(
        "/v3/roles?types=organization_auditor,organization_user&user_guids={joe}&organization_guids={acme}&include=user"
    );
    let listed = landscape.get(&path).await.body;
    assert_eq!(listed["resources"][0]["guid"], given["guid"]);
    assert_eq!(listed["included"]["users"][0]["origin"], "acme-platform");
    let elsewhere = landscape.get(&format!("/v3/roles?user_guids={joe}&types=organization_manager")).await.body;
    assert_eq!(elsewhere["resources"], json!([]));
}

#[tokio::test]
async fn nobody_gives_roles_where_they_manage_nothing() {
    let landscape = Landscape::start().await;
    let partners = landscape.organization("partners").await;
    let joe = person("joe@acme.example", "acme-platform");
    let refused = landscape.give("organization_user", &joe, &partners).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["title"]), (403, &json!("CF-NotAuthorized")));
    let shared = landscape.space("shared").await;
    assert_eq!(landscape.give("space_auditor", &joe, &shared).await.status, 403);
    assert_eq!(landscape.post("/v3/users", json!({"guid": "x"})).await.status, 403);
    landscape.world.set(json!({"cloudFoundryUnknownUsers": "created"})).await;
    let made = landscape.post("/v3/users", json!({"username": "new@acme.example", "origin": "acme-platform"})).await;
    assert_eq!((made.status, &made.body["username"]), (201, &json!("new@acme.example")));
    let invalid = landscape.post("/v3/roles", json!({"type": "king", "colour": "red"})).await;
    assert_eq!(invalid.body["errors"][0]["detail"], "Unknown field(s): 'colour'");
}
