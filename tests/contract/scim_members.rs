//! Members of a group of a directory that speaks SCIM, many at a time: what they cost, and what becomes of a batch of which
//! the directory takes a part.

use serde_json::json;
use technical_user_operator::plan::grant::Grant;

use crate::administrator::{Administrator, GROUPS};
use crate::description::Running;
use crate::scim::{DEAF_TO_FILTERS, FULL, SHORT_PAGES, membership};
use crate::suite::{confirmed, grant, held, revoke_grants};

/// As many as one batch may have.
const MANY: usize = 200;

/// Users of a directory, and their memberships in the first group.
fn crowd(platform: &Running) -> Vec<Grant> {
    let administrator = Administrator::of(&platform.simulator);
    let names = (0..MANY).map(|number| format!("user-{number}@acme.example"));
    names.map(|name| (administrator.user(&name, "4711"), membership(&name, GROUPS[0])).1).collect()
}

/// What the driver has asked for since so many requests.
fn asked(platform: &Running, before: usize, route: &str) -> usize {
    let asked = platform.simulator.requests().into_iter().skip(before);
    asked.filter(|request| request["route"] == route).count()
}

#[test]
fn two_hundred_members_are_one_change_and_their_names_a_few_searches() {
    let platform = Running::start(&FULL);
    let batch = crowd(&platform);
    for change in [grant, revoke_grants] {
        let before = platform.simulator.requests().len();
        change(&platform, &batch);
        assert_eq!(asked(&platform, before, "scim.change-group"), 1);
        assert_eq!(asked(&platform, before, "scim.list-users"), MANY.div_ceil(25));
    }
    assert!(held(&platform, &batch).is_empty() && confirmed(&platform, &batch).is_empty());
}

#[test]
fn a_batch_that_is_refused_is_tried_in_halves() {
    let platform = Running::start(&FULL);
    let batch = crowd(&platform);
    let refused = json!({"kind": "status", "status": 400, "times": 3});
    platform.simulator.fault("scim.change-group", &refused);
    let before = platform.simulator.requests().len();
    grant(&platform, &batch);
    // The whole, its first half and that one's first half are refused: two quarters' halves, a quarter and a half are not.
    assert_eq!(asked(&platform, before, "scim.change-group"), 3 + 4);
    assert_eq!(confirmed(&platform, &batch), batch);
}

#[test]
fn many_are_found_where_a_directory_does_not_search() {
    for description in [&DEAF_TO_FILTERS, &SHORT_PAGES] {
        let platform = Running::start(description);
        platform.simulator.settings(&json!({"scimPage": 100}));
        let batch = crowd(&platform);
        grant(&platform, &batch);
        assert_eq!(confirmed(&platform, &batch), batch);
    }
}

#[test]
fn a_name_in_another_case_and_one_of_nobody_are_told_apart_among_many() {
    let platform = Running::start(&FULL);
    let batch = crowd(&platform);
    grant(&platform, &batch);
    let others = [membership("USER-7@acme.example", GROUPS[0]), membership("user-7000@acme.example", GROUPS[0])];
    assert_eq!(confirmed(&platform, &others), others[..1]);
}
