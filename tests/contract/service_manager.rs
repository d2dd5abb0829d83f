//! What only the Service Manager has: brokers that take their time, names that are not unique, offerings that are there
//! more than once, and objects that others have a hand in.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use technical_user_operator::api::Identity;
use technical_user_operator::plan::capability::OwnRoles;
use technical_user_operator::plan::owner::Owner;
use technical_user_operator::platform::{
    Error, Health, Kind, NewIdentity, ObservedIdentity, Operation, Ordered, Progress,
};

use crate::btp::{BTP, service_key};
use crate::description::{Running, owner};
use crate::harness::runtime;
use crate::role_collections::count;
use crate::suite;
use crate::suite::{create, credentials_of, delete, found, identities_of, issue, listed, revoke, set_roles};
use crate::{documents, faults};

/// Somebody else asks the Service Manager, with the same admin credential.
fn somebody_asks(platform: &Running, method: Method, path: &str, body: &Value) -> Value {
    let key = platform.simulator.credential("service-manager", "secret");
    let text = |name: &str| key[name].as_str().expect("a service key's field").to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &text("clientid")),
        ("client_secret", &text("clientsecret")),
    ];
    runtime().block_on(async {
        let http = reqwest::Client::new();
        let asked = http.post(format!("{}/oauth/token", text("url"))).form(&form).send().await.expect("a token");
        let token: Value = asked.json().await.expect("a token");
        let bearer = token["access_token"].as_str().expect("a token");
        let request = http.request(method, format!("{}{path}", text("sm_url"))).bearer_auth(bearer).json(body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.expect("JSON")
    })
}

fn sample(platform: &Running, uid: &str) -> NewIdentity {
    platform.sample(&owner(uid)).expect("a sample")
}

fn order(platform: &Running, wanted: &NewIdentity) -> Result<Ordered<ObservedIdentity>, Error> {
    runtime().block_on(identities_of(&platform.driver).create(wanted))
}

fn refused(platform: &Running, wanted: &NewIdentity) -> Error {
    let error = order(platform, wanted).expect_err("it is refused");
    platform.check(&error);
    error
}

fn follow(platform: &Running, operation: &Operation) -> Progress {
    runtime().block_on(identities_of(&platform.driver).follow(operation)).expect("an answer")
}

fn healths(found: &[ObservedIdentity]) -> Vec<Health> {
    found.iter().map(|one| one.health).collect()
}

#[test]
fn a_service_that_works_in_the_background_is_waited_for() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"]}));
    let identity = create(&platform, "background");
    assert_eq!(identity.health, Health::Usable);
    let issued = issue(&platform, &identity, "background", 1);
    assert!(issued.fields.contains_key("clientid"));
    revoke(&platform, &issued.credential);
    delete(&platform, &identity);
    assert_eq!(platform.count(), (0, 0));
    let asked = platform.simulator.requests();
    assert!(asked.iter().all(|request| !request["query"].to_string().contains("async")), "the broker decides");
    documents::hold(&platform.simulator);
}

#[test]
fn a_creation_that_takes_long_is_followed_and_not_ordered_again() {
    let mut platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "operationMillis": 60_000}));
    let Ok(Ordered::Begun(operation)) = order(&platform, &sample(&platform, "long")) else {
        panic!("it takes a minute")
    };
    // What follows it may be another process.
    platform.reconnect();
    assert!(matches!(follow(&platform, &operation), Progress::Running));
    assert_eq!(healths(&found(&platform, "long")), [Health::InProgress]);
    assert_eq!(healths(&listed(&platform, "cluster-1")), [Health::InProgress]);
    assert!(matches!(order(&platform, &sample(&platform, "long")), Ok(Ordered::Found)));
    platform.simulator.advance_clock(Duration::from_mins(1));
    assert!(matches!(follow(&platform, &operation), Progress::Succeeded));
    assert_eq!(create(&platform, "long").health, Health::Usable);
    assert_eq!(platform.count(), (1, 0));
}

#[test]
fn what_nobody_knows_any_more_is_gone_and_leads_nowhere_else() {
    let platform = Running::start(&BTP);
    let identity = create(&platform, "gone");
    let of = |rest: &str| Operation(format!("/v1/service_instances/{}/{rest}", identity.id));
    for unknown in
        [of("operations/7c1e"), Operation("/v1/service_offerings".into()), Operation("https://a.example".into())]
    {
        assert!(matches!(follow(&platform, &unknown), Progress::Gone), "{unknown:?}");
    }
    assert_eq!(count(&platform, "service-manager.list-offerings"), 1, "what is no operation is not asked for");
}

#[test]
fn two_orders_of_one_name_are_both_found_and_both_go() {
    let mut platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"brokerMillis": 1500}));
    let wanted = sample(&platform, "twice");
    let first = platform.driver.clone();
    platform.reconnect();
    let drivers = [first, platform.driver.clone()];
    let orders = runtime().block_on(join_all(drivers.iter().map(|driver| identities_of(driver).create(&wanted))));
    assert!(orders.iter().all(|order| matches!(order, Ok(Ordered::Done(_)))), "the name was free for both");
    platform.simulator.settings(&json!({"brokerMillis": 0}));
    let twins = found(&platform, "twice");
    assert_eq!((twins.len(), listed(&platform, "cluster-1").len()), (2, 2));
    assert!(twins.iter().all(|one| one.mark.as_ref().is_some_and(|mark| mark.uid == "twice")));
    drop(issue(&platform, &twins[1], "twice", 1));
    delete(&platform, &twins[1]);
    assert_eq!(found(&platform, "twice").iter().map(|one| &one.id).collect::<Vec<_>>(), [&twins[0].id]);
    delete(&platform, &twins[0]);
    assert_eq!((found(&platform, "twice").len(), platform.count()), (0, (0, 0)));
}

#[test]
fn what_somebody_renamed_is_still_its_owners() {
    let platform = Running::start(&BTP);
    let identity = create(&platform, "renamed");
    let path = format!("/v1/service_instances/{}", identity.id);
    somebody_asks(&platform, Method::PATCH, &path, &json!({"name": "something-else"}));
    let renamed = found(&platform, "renamed").remove(0);
    assert_eq!((renamed.id.as_str(), renamed.name.as_str()), (identity.id.as_str(), "something-else"));
    assert_eq!(found(&platform, "another").len(), 0);
}

#[test]
fn a_failed_creation_is_shown_as_failed_and_can_be_cleared_away() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "failingPlans": ["integration-flow"]}));
    assert_eq!(refused(&platform, &sample(&platform, "failed")).kind(), Kind::Unavailable);
    let failed = found(&platform, "failed").remove(0);
    assert_eq!(failed.health, Health::Failed);
    platform.simulator.settings(&json!({"failingPlans": []}));
    delete(&platform, &failed);
    assert_eq!(create(&platform, "failed").health, Health::Usable);
}

#[test]
fn why_an_operation_failed_is_read_from_an_object_and_from_a_list() {
    let platform = Running::start(&BTP);
    for errors in ["object", "list"] {
        let broken = json!({"asyncPlans": ["integration-flow"], "operationErrors": errors, "operationMillis": 4000,
                            "failingPlans": ["integration-flow"]});
        platform.simulator.settings(&broken);
        let Ok(Ordered::Begun(operation)) = order(&platform, &sample(&platform, errors)) else {
            panic!("it takes long")
        };
        platform.simulator.advance_clock(Duration::from_secs(4));
        let Progress::Failed(error) = follow(&platform, &operation) else { panic!("the broker is broken") };
        assert!(error.to_string().contains("BrokerError"), "{error}");
    }
}

#[test]
fn a_deletion_that_fails_leaves_something_that_can_be_deleted() {
    let platform = Running::start(&BTP);
    let identity = create(&platform, "stubborn");
    platform.simulator.settings(&json!({"failingPlans": ["integration-flow"]}));
    let error = runtime().block_on(identities_of(&platform.driver).delete(&identity)).expect_err("it is broken");
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    let left = found(&platform, "stubborn").remove(0);
    assert_ne!(left.health, Health::InProgress);
    platform.simulator.settings(&json!({"failingPlans": []}));
    delete(&platform, &left);
    assert_eq!(platform.count(), (0, 0));
}

#[test]
fn an_identity_takes_along_what_others_bound_to_it() {
    let platform = Running::start(&BTP);
    let identity = create(&platform, "bound");
    drop(issue(&platform, &identity, "bound", 1));
    let binding = json!({"name": "somebody-else", "service_instance_id": identity.id});
    somebody_asks(&platform, Method::POST, "/v1/service_bindings", &binding);
    let shown = platform.converge("find", async |driver| credentials_of(driver).find(&identity).await);
    assert_eq!(shown.len(), 2, "whoever made it");
    delete(&platform, &identity);
    assert_eq!(platform.count(), (0, 0));
}

#[test]
fn what_is_not_ours_is_a_conflict_and_is_left_alone() {
    let platform = Running::start(&BTP);
    let owner = owner("foreign");
    let foreign = json!({
        "name": owner.identity_name(), "service_offering_name": "it-rt", "service_plan_name": "integration-flow",
    });
    somebody_asks(&platform, Method::POST, "/v1/service_instances", &foreign);
    assert_eq!(refused(&platform, &sample(&platform, "foreign")).kind(), Kind::Conflict);
    let error = runtime().block_on(identities_of(&platform.driver).find(&owner)).expect_err("a stranger's");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(listed(&platform, "cluster-1").is_empty(), "what is not marked is not listed");
}

#[test]
fn the_last_role_is_gone_only_where_tokens_show_it() {
    let platform = Running::start(&BTP);
    let identity = create(&platform, "bare");
    drop(issue(&platform, &identity, "bare", 1));
    let bare = NewIdentity { roles: std::collections::BTreeSet::new(), ..sample(&platform, "bare") };
    set_roles(&platform, &identity, &bare);

    platform.simulator.settings(&json!({"emptyRoles": "default"}));
    let set = |wanted| runtime().block_on(identities_of(&platform.driver).set_roles(&identity, wanted));
    let error = set(&bare).expect_err("the broker gives it roles of its own choice");
    assert!(error.to_string().contains("still carry roles"), "{error}");
    platform.simulator.settings(&json!({"asyncPlans": ["integration-flow"], "operationMillis": 10_000}));
    let Ok(Ordered::Begun(operation)) = set(&bare) else { panic!("it takes long") };
    platform.simulator.advance_clock(Duration::from_secs(10));
    assert!(matches!(follow(&platform, &operation), Progress::Failed(_)));
    assert_eq!(refused(&platform, &NewIdentity { owner: owner("none"), ..bare }).kind(), Kind::Invalid);
}

#[test]
fn a_plan_that_is_not_there_yet_is_named_and_found_when_it_comes() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"itRtActivated": false}));
    for number in 0..20 {
        let error = refused(&platform, &sample(&platform, &format!("plan-{number}")));
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains("`integration-flow`"), "{error}");
        assert!(error.wait().is_some_and(|wait| wait < Duration::from_secs(11)) || number == 0);
    }
    assert_eq!(count(&platform, "service-manager.list-plans"), 1, "that it is not there is remembered for a while");
    platform.simulator.settings(&json!({"itRtActivated": true}));
    create(&platform, "plan");
}

#[test]
fn an_offering_of_several_data_centres_is_refused_with_their_names() {
    let platform = Running::start(&BTP);
    let hana = |owner: Owner| NewIdentity {
        identity: service_key("hana", "hdi-shared"),
        own_roles: OwnRoles::None,
        ..platform.sample(&owner).expect("a sample")
    };
    let error = refused(&platform, &hana(owner("database")));
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("cf-eu12, cf-us10"), "{error}");
    assert_eq!(count(&platform, "service-manager.create-instance"), 0);
}

#[test]
fn one_teams_bad_parameters_cost_the_others_no_look_up() {
    let platform = Running::start(&BTP);
    create(&platform, "good");
    let bad = |number: usize| {
        let mut wanted = sample(&platform, &format!("bad-{number}"));
        let Identity::ServiceKey(key) = &mut wanted.identity else { panic!("a service key") };
        key.parameters = json!({"token-validity": 1}).as_object().cloned();
        wanted
    };
    for number in 0..5 {
        let error = refused(&platform, &bad(number));
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        create(&platform, &format!("good-{number}"));
    }
    assert_eq!(count(&platform, "service-manager.list-plans"), 1);
}

#[test]
fn a_plan_that_was_replaced_is_looked_up_again() {
    let platform = Running::start(&BTP);
    create(&platform, "before");
    platform.simulator.fault("service-manager.create-instance", &json!({"kind": "not-found", "times": 1}));
    assert_eq!(refused(&platform, &sample(&platform, "after")).kind(), Kind::NotFound);
    create(&platform, "after");
    assert_eq!(count(&platform, "service-manager.list-plans"), 2);
}

#[test]
fn lists_are_read_to_their_end() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"serviceManagerPage": 7}));
    let made: Vec<_> = (0..30).map(|number| create(&platform, &format!("page-{number}")).id).collect();
    let all = || {
        let mut listed: Vec<_> = listed(&platform, "cluster-1").into_iter().map(|identity| identity.id).collect();
        listed.sort();
        listed
    };
    let mut expected = made;
    expected.sort();
    assert_eq!(all(), expected);
}

#[test]
fn every_fault_on_later_pages_is_survived() {
    let of_instances = |platform: &Running| listed(platform, "cluster-1").len();
    let of_bindings = |platform: &Running| {
        let list = platform.converge("list", async |driver| credentials_of(driver).list("cluster-1").await);
        list.len()
    };
    let with_pages = |route: &str, shown: &dyn Fn(&Running) -> usize| {
        let mut platform = Running::start(&BTP);
        platform.simulator.settings(&json!({"serviceManagerPage": 2}));
        for number in 0..5 {
            let uid = format!("page-{number}");
            drop(issue(&platform, &create(&platform, &uid), &uid, 1));
        }
        faults::on_later_pages(&mut platform, route, shown);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| with_pages("service-manager.list-instances", &of_instances));
        scope.spawn(|| with_pages("service-manager.list-bindings", &of_bindings));
    });
}

#[test]
fn an_empty_answer_is_not_an_empty_subaccount() {
    let platform = Running::start(&BTP);
    create(&platform, "there");
    let asking = owner("nobody");
    for (route, status) in [("service-manager.list-instances", 200), ("service-manager.list-instances", 404)] {
        let kind = if status == 200 { "other-object" } else { "not-found" };
        platform.simulator.fault(route, &json!({"kind": kind}));
        let list = runtime().block_on(identities_of(&platform.driver).list("cluster-1"));
        let find = runtime().block_on(identities_of(&platform.driver).find(&asking));
        assert!(list.is_err() && find.is_err(), "{kind}");
    }
}

#[test]
fn a_list_that_lags_behind_hides_nothing_from_who_asks_by_name() {
    let platform = Running::start(&BTP);
    platform.simulator.settings(&json!({"listDelayMillis": 60_000}));
    let identity = create(&platform, "young");
    assert_eq!(listed(&platform, "cluster-1"), []);
    assert_eq!(found(&platform, "young").len(), 1);
    drop(issue(&platform, &identity, "young", 1));
    let shown = platform.converge("find", async |driver| credentials_of(driver).find(&identity).await);
    assert_eq!(shown.len(), 1);
}

#[test]
fn many_callers_share_one_token_and_one_look_up() {
    let platform = Running::start(&BTP);
    let identities = suite::identities_of(&platform.driver);
    let samples: Vec<_> = (0..50).map(|number| sample(&platform, &format!("many-{number}"))).collect();
    let results = runtime().block_on(join_all(samples.iter().map(|sample| identities.create(sample))));
    assert!(results.iter().all(Result::is_ok));
    let routes = ["auth.token", "service-manager.list-offerings", "service-manager.list-plans"];
    assert_eq!(routes.map(|route| count(&platform, route)), [1, 1, 1]);
    assert_eq!(count(&platform, "service-manager.create-instance"), 50);
}
