//! What the people of a namespace cannot write, whatever RBAC lets them do there: the operator's record, and what would
//! leave things behind on a platform. And what they can go on doing as if nothing were there.

use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::simulator::Simulator;
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{Kubectl, Person, Stage, Team};

const CLEANUP: &str = "technicaluser.dev/cleanup";
const ORPHAN: &str = "technicaluser.dev/orphan";

/// A refusal by the policy of this name, with these parts in its message.
fn refused(answer: Result<impl std::fmt::Debug, String>, policy: &str, parts: &[&str]) {
    let refusal = answer.expect_err("the policy refuses");
    assert!(refusal.contains(&format!("ValidatingAdmissionPolicy '{RELEASE}-{policy}'")), "{refusal}");
    assert!(parts.iter().all(|part| refusal.contains(part)), "{refusal}");
}

/// `kubectl patch` of one of the team's objects.
fn patch(kubectl: &Kubectl, team: &Team<'_>, what: &str, kind: &str, part: &Value) -> Result<String, String> {
    kubectl.run(&["patch", what, "--namespace", &team.name, &format!("--type={kind}"), "--patch", &part.to_string()])
}

fn annotate(kubectl: &Kubectl, team: &Team<'_>, what: &str, annotation: &str) -> Result<String, String> {
    kubectl.run(&["annotate", "--overwrite", what, "--namespace", &team.name, annotation])
}

/// `kubectl edit`, with an editor that does what a sed script says.
fn edit(kubectl: &Kubectl, team: &Team<'_>, what: &str, script: &str) -> Result<String, String> {
    kubectl.edit(&["edit", what, "--namespace", &team.name], &format!("sed -i -e {script}"))
}

/// kubectl's name for our RoleBindings, which RBAC's do not have.
fn of_kubectl(what: &str) -> String {
    what.replace("rolebindings/", "rolebindings.technicaluser.dev/")
}

fn on_neo(name: &str) -> Team<'static> {
    let simulator = Simulator::start_set(&json!({ "neoRequestsPerMinute": null }));
    let team = Team::with(Stage::shared(), name, simulator);
    team.admin_secret("neo", &team.simulator.credential("neo", "secret"));
    let secret = json!({ "name": format!("{name}-neo") });
    let neo = json!({ "host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": secret });
    let mut platform = team.platform(&json!({ "neo": neo }));
    // What administers a platform is meant by no wildcard.
    let administrator = json!({ "memberRole": { "name": "AccountAdministrator" } });
    platform["spec"]["access"][0]["grants"][0]["roles"].as_array_mut().expect("roles").push(administrator);
    team.apply(&platform);
    team
}

fn is_administrator(team: &Team<'_>, user: &str) -> bool {
    let members = team.simulator.state()["neo"]["members"].clone();
    let found = members.as_array().expect("members").iter().find(|one| one["name"] == user || one["userName"] == user);
    found.is_some_and(|one| one.to_string().contains("AccountAdministrator"))
}

#[test]
fn a_line_that_says_a_strangers_role_is_ours_is_refused_and_the_role_stays() {
    let team = on_neo("forged");
    // The simulated subaccount's administrator has had this role from its first day.
    let administrator = json!({ "existing": { "userName": "P0000001", "origin": "accounts.sap.com" } });
    team.apply(&team.technical_user("legacy", &administrator, &Value::Null));
    let (subject, role) = (json!({ "technicalUser": { "name": "legacy" } }), "AccountAdministrator");
    team.apply(&team.role_binding("member", &subject, &[json!({ "memberRole": { "name": role } })]));
    team.ready(&["technicalusers/legacy", "rolebindings/member"]);
    let mallory = team.member();

    let mut forged = team.get("rolebindings/member").expect("the RoleBinding");
    assert_eq!(forged["status"]["roles"][0]["state"], "PreExisting");
    forged["status"]["roles"][0]["state"] = json!("Granted");
    forged["status"]["ledger"][0]["owned"] = json!(true);
    no_way_to_write_a_status(&team, &mallory, &forged);

    mallory.kubectl.ok(&["delete", "rolebindings.technicaluser.dev/member", "--namespace", &team.name]);
    assert!(is_administrator(&team, "P0000001"), "{:#}", team.simulator.state()["neo"]["members"]);
    team.delete_everything();
}

fn no_way_to_write_a_status(team: &Team<'_>, mallory: &Person, forged: &Value) {
    let account = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{RELEASE}");
    let says = ["the status of rolebindings.technicaluser.dev", &account, "Change the spec, and the status follows"];
    let (own, status) = (team.path("rolebindings/member"), json!({ "status": forged["status"] }));
    refused(mallory.api.patch(&format!("{own}/status"), &status), "status", &says);
    let command = ["--subresource=status", "--filename=-"];
    refused(mallory.kubectl.with_input(&[&["replace"], &command[..]].concat(), &forged.to_string()), "status", &says);
    let mut applied = forged.clone();
    applied["metadata"] = json!({ "name": "member", "namespace": team.name });
    let arguments = [&["apply", "--server-side", "--force-conflicts"], &command[..]].concat();
    refused(mallory.kubectl.with_input(&arguments, &applied.to_string()), "status", &says);
    // Nor do the others: the record is nobody's but the operator's.
    refused(team.stage.api().patch(&format!("{own}/status"), &status), "status", &says);
    let conditions = json!({ "status": { "conditions": [] } });
    let of_user = format!("{}/status", team.path("technicalusers/legacy"));
    refused(mallory.api.patch(&of_user, &conditions), "status", &["the status of technicalusers.technicaluser.dev"]);
    let of_platform = format!("{}/status", team.path(&format!("platforms/{}", team.name)));
    let says = ["the status of platforms.technicaluser.dev"];
    refused(team.stage.api().patch(&of_platform, &conditions), "status", &says);
}

#[test]
fn what_would_leave_things_behind_is_said_by_who_answers_for_the_platform() {
    let team = Team::on_btp(Stage::shared(), "left-behind");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);
    let (mallory, owner) = (team.member(), team.platform_owner());

    for (what, manifest) in
        [("technicalusers/orders", team.service_key("orders")), ("rolebindings/jane-reads", team.jane_reads())]
    {
        no_way_to_take_the_finalizer_off(&team, &mallory.kubectl, what, &manifest);
        no_way_to_orphan(&team, &mallory, what, manifest);
    }
    // While it is being deleted no more than before.
    team.simulator.fault("*", &json!({ "kind": "status", "status": 503 }));
    let what = of_kubectl("rolebindings/jane-reads");
    mallory.kubectl.ok(&["delete", &what, "--namespace", &team.name, "--wait=false"]);
    let none = json!({ "metadata": { "finalizers": null } });
    refused(patch(&mallory.kubectl, &team, &what, "merge", &none), "cleanup", &[CLEANUP]);

    let lets_go = annotate(&owner.kubectl, &team, &what, &format!("{ORPHAN}=true"));
    lets_go.expect("who answers for the Platform may say so");
    team.gone("rolebindings/jane-reads");
    patch(&owner.kubectl, &team, "technicalusers/orders", "merge", &none).expect("and may take the finalizer off");
    team.simulator.heal();
    assert!(team.jane_holds_it(), "it was let go without cleaning up");
    team.delete_everything();
}

fn no_way_to_take_the_finalizer_off(team: &Team<'_>, mallory: &Kubectl, what: &str, manifest: &Value) {
    let who = format!("only the operator or somebody who may update Platform {} may take it off", team.name);
    let says = [CLEANUP, &*who, "use apply", "To be rid of the object, delete it"];
    let what = &of_kubectl(what);
    refused(patch(mallory, team, what, "merge", &json!({ "metadata": { "finalizers": null } })), "cleanup", &says);
    let others = json!({ "metadata": { "finalizers": ["acme.example/mine"] } });
    refused(patch(mallory, team, what, "merge", &others), "cleanup", &says);
    let removal = json!([{ "op": "remove", "path": "/metadata/finalizers/0" }]);
    refused(patch(mallory, team, what, "json", &removal), "cleanup", &says);
    refused(mallory.with_input(&["replace", "-f", "-"], &manifest.to_string()), "cleanup", &says);
    refused(edit(mallory, team, what, "/technicaluser.dev.cleanup/d"), "cleanup", &says);
}

fn no_way_to_orphan(team: &Team<'_>, mallory: &Person, what: &str, mut manifest: Value) {
    let who = format!("only the operator or somebody who may update Platform {} may set it", team.name);
    let says = [ORPHAN, &*who, "Delete without it, and the operator cleans up"];
    let what = &of_kubectl(what);
    refused(annotate(&mallory.kubectl, team, what, &format!("{ORPHAN}=true")), "cleanup", &says);
    // Nor as something that is new.
    manifest["metadata"]["name"] = json!("new");
    manifest["metadata"]["annotations"] = json!({ ORPHAN: "true" });
    refused(mallory.api.try_create(&manifest), "cleanup", &says);
}

#[test]
fn everything_else_a_team_does_as_before() {
    let team = Team::on_btp(Stage::shared(), "unhindered");
    let mallory = team.member().kubectl;
    let all = [team.service_key("orders"), team.may_send(), team.jane_reads()];
    let manifests: Vec<String> = all.iter().map(Value::to_string).collect();
    let manifests = manifests.join("\n---\n");
    mallory.apply(&manifests).expect("applied as new");
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);

    mallory.apply(&manifests).expect("applied again");
    let forced = ["apply", "--server-side", "--force-conflicts", "--filename=-"];
    mallory.with_input(&forced, &manifests).expect("applied by the server");
    edit(&mallory, &team, "technicalusers/orders", r"'s/^spec:/spec:\n  description: edited/'").expect("edited");
    annotate(&mallory, &team, "technicalusers/orders", "acme.example/note=seen").expect("annotated");
    let own = json!({ "metadata": { "finalizers": [CLEANUP, "acme.example/mine"] } });
    patch(&mallory, &team, "technicalusers/orders", "merge", &own).expect("a finalizer of one's own");
    let less = json!({ "metadata": { "finalizers": [CLEANUP] } });
    patch(&mallory, &team, "technicalusers/orders", "merge", &less).expect("and off again");
    // What somebody who answers for the Platform asked for may be taken back: then there is only more cleaning up.
    let orphan = json!({ "metadata": { "annotations": { ORPHAN: "true" } } });
    team.patch("technicalusers/orders", &orphan);
    annotate(&mallory, &team, "technicalusers/orders", &format!("{ORPHAN}-")).expect("taken back");
    team.ready(&["technicalusers/orders"]);

    let foreground = ["delete", "technicalusers/orders", "--cascade=foreground", "--namespace", &team.name];
    mallory.ok(&foreground);
    mallory.ok(&["delete", "namespace", &team.name, "--wait=false"]);
    team.gone(&format!("namespaces/{}", team.name));
    team.platform_is_emptied();
    team.delete_everything();
}

#[test]
fn nobody_labels_their_own_namespace_into_a_rule() {
    let team = Team::on_btp(Stage::shared(), "self-labelled");
    let mut platform = team.btp();
    let chosen = json!({ "selector": { "matchLabels": { "team": "integration", "stage": "prod" } } });
    platform["spec"]["access"][0]["namespaces"] = chosen;
    team.apply(&platform);
    let (mallory, owner) = (team.member().kubectl, team.stage.kubectl());
    let namespace = format!("namespace/{}", team.name);
    let label = |kubectl: &Kubectl, label: &str| kubectl.run(&["label", &namespace, label]);

    label(&mallory, "team=integration").expect("half of it chooses nothing");
    let says = ["namespace self-labelled could use Platform self-labelled", "may update that Platform"];
    refused(label(&mallory, "stage=prod"), "namespaces", &says);
    for subresource in ["status", "finalize"] {
        let mut whole = team.get(&format!("namespaces/{}", team.name)).expect("the namespace");
        whole["metadata"]["labels"]["stage"] = json!("prod");
        let raw = format!("{}/{subresource}", path("namespaces", "", &team.name));
        let answer = mallory.with_input(&["replace", "--raw", &raw, "-f", "-"], &whole.to_string());
        refused(answer, "namespaces", &says);
    }
    label(&mallory, "colour=blue").expect("a label that chooses nothing");

    label(&owner, "stage=prod").expect("who may create namespaces may label them");
    label(&mallory, "stage-").expect("one may leave");
    team.delete_everything();
}

#[test]
fn a_namespace_is_not_taken_away_beneath_its_objects() {
    let team = Team::on_btp(Stage::shared(), "taken-away");
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/jane-reads"]);
    let namespace = format!("namespaces/{}", team.name);
    let mallory = team.member().kubectl;
    let finalize = |kubectl: &Kubectl| {
        let mut whole = team.get(&namespace).expect("the namespace");
        whole["spec"]["finalizers"] = json!([]);
        let raw = format!("{}/finalize", team.path(&namespace));
        kubectl.with_input(&["replace", "--raw", &raw, "-f", "-"], &whole.to_string())
    };

    let says = ["namespace taken-away goes before its objects", "kubectl get technicalusers,trb -n taken-away"];
    refused(finalize(&mallory), "namespace-removal", &says);

    // The namespace controller may, once everything is gone.
    mallory.ok(&["delete", "namespace", &team.name, "--wait=false"]);
    team.gone(&namespace);
    team.platform_is_emptied();
    team.delete_everything();
}

#[test]
fn the_policies_are_understood_in_whole() {
    let listed = Stage::shared().kubectl().list("", "validatingadmissionpolicies");
    let ours =
        listed.iter().filter(|one| one["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(RELEASE)));
    let warnings: Vec<_> = ours.map(|one| one["status"]["typeChecking"].clone()).collect();
    assert_eq!(warnings, [json!({}), json!({}), json!({}), json!({})]);
}
