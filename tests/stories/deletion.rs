//! Deletion, in any order that people think of: it cleans up, or it says what it waits for and how to let go.

use serde_json::json;

use crate::harness::api::path;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::{PATIENCE, Stage, Team, eventually};

/// A team with the quick start's objects, Ready.
fn team(name: &str) -> Team<'static> {
    let team = Team::on_btp(Stage::shared(), name);
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    team
}

#[test]
fn a_namespace_takes_everything_with_it() {
    let team = team("goes-whole");

    team.delete("namespaces/goes-whole");

    team.gone("namespaces/goes-whole");
    team.platform_is_emptied();
    team.delete_everything();
}

#[test]
fn a_technical_user_goes_before_its_role_bindings_and_after_them() {
    let team = team("goes-in-parts");
    team.delete("technicalusers/orders");
    team.gone("technicalusers/orders");
    eventually("the Secret goes with it", PATIENCE, || team.secret("orders-credentials").is_none().then_some(()));
    assert_eq!(team.instances_and_keys().0, 0);
    // Its RoleBinding waits for one of that name to come.
    team.not_ready("rolebindings/orders-may-send", "Pending", "there is no TechnicalUser orders");

    team.apply(&team.service_key("orders"));
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send"]);

    for binding in ["rolebindings/orders-may-send", "rolebindings/jane-reads"] {
        team.delete(binding);
        team.gone(binding);
    }
    team.delete("technicalusers/orders");
    team.gone("technicalusers/orders");
    team.platform_is_emptied();
    team.delete_everything();
}

#[test]
fn without_its_admin_secret_a_deletion_says_what_to_do_and_an_annotation_lets_go() {
    let stage = Stage::alone();
    let operator = stage.start_operator(&[]);
    let team = Team::on_btp(&stage, "lost-admin");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    for name in ["lost-admin-xsuaa", "lost-admin-service-manager"] {
        team.stage.api().delete(&path("secrets", OPERATOR_NAMESPACE, name));
    }
    // A process that never saw what they held.
    operator.stop();
    let operator = stage.start_operator(&[]);
    team.not_ready("platforms/lost-admin", "AdminSecretMissing", "there is no Secret lost-admin-xsuaa");

    let objects = ["technicalusers/orders", "rolebindings/jane-reads"];
    for object in objects {
        team.delete(object);
        team.not_ready(object, "PlatformNotReady", "annotate the object with technicaluser.dev/orphan=true");
    }
    for object in objects {
        team.patch(object, &json!({ "metadata": { "annotations": { "technicaluser.dev/orphan": "true" } } }));
        team.gone(object);
    }
    assert_eq!(team.instances_and_keys().0, 1, "let go, not cleaned up");
    team.delete_everything();
    operator.stop();
}

#[test]
fn an_admin_secret_that_comes_back_lets_a_deletion_go_on() {
    let stage = Stage::alone();
    let operator = stage.start_operator(&[]);
    let team = Team::on_btp(&stage, "found-admin");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    team.stage.api().delete(&path("secrets", OPERATOR_NAMESPACE, "found-admin-service-manager"));
    operator.stop();
    let operator = stage.start_operator(&[]);
    team.not_ready("platforms/found-admin", "AdminSecretMissing", "found-admin-service-manager");
    team.delete("technicalusers/orders");
    team.not_ready("technicalusers/orders", "PlatformNotReady", "");

    team.admin_secret("service-manager", &team.simulator.credential("service-manager", "secret"));

    team.gone("technicalusers/orders");
    assert_eq!(team.instances_and_keys().0, 0);
    team.delete_everything();
    operator.stop();
}

#[test]
fn a_platform_in_use_stays_until_its_last_user_is_gone() {
    let team = team("in-use");

    team.delete("platforms/in-use");

    team.not_ready("platforms/in-use", "InUse", "in use by 3 objects");
    assert_eq!(team.instances_and_keys().0, 1);
    team.delete("namespaces/in-use");
    team.gone("namespaces/in-use");
    team.gone("platforms/in-use");
    team.platform_is_emptied();
}

#[test]
fn what_is_orphaned_stays_on_the_platform() {
    let team = team("orphaned");
    let orphan = json!({ "spec": { "deletionPolicy": "Orphan" } });
    for object in ["technicalusers/orders", "rolebindings/jane-reads"] {
        team.patch(object, &orphan);
        team.delete(object);
        team.gone(object);
    }
    assert_eq!(team.instances_and_keys(), (1, 1));
    assert!(team.jane_holds_it());
    team.delete_everything();
}

#[test]
fn a_role_that_another_binding_wants_stays_until_the_last_lets_go() {
    let team = team("shared-role");
    let mut second = team.jane_reads();
    second["metadata"]["name"] = json!("jane-reads-too");
    team.apply(&second);
    team.ready(&["rolebindings/jane-reads-too"]);

    team.delete("rolebindings/jane-reads");
    team.gone("rolebindings/jane-reads");
    team.ready(&["rolebindings/jane-reads-too"]);
    assert!(team.jane_holds_it());

    team.delete("rolebindings/jane-reads-too");
    team.gone("rolebindings/jane-reads-too");
    assert!(!team.jane_holds_it());
    team.delete_everything();
}
