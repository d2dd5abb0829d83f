//! The charts under the real helm: installed, changed, upgraded, taken away and put back, and what they must not do.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::api::path;
use crate::harness::operator::{Operator, Settings};
use crate::harness::simulator::ca_file;
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{ControlPlane, Kubectl, PATIENCE, Stage, Team, eventually};

const CHARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts");
const CRDS: &str = "technical-user-operator-crds";
const CREDENTIALS: &str = "orders-credentials";

fn operator_chart() -> String {
    format!("{CHARTS}/{RELEASE}")
}

fn helm(kubectl: &Kubectl, arguments: &[&str]) -> String {
    kubectl.helm(arguments).unwrap_or_else(|error| panic!("helm {}: {error}", arguments.join(" ")))
}

fn deployment(stage: &Stage) -> Option<Value> {
    stage.api().get(&path("deployments", OPERATOR_NAMESPACE, RELEASE))
}

fn crd(stage: &Stage, plural: &str) -> Value {
    let name = format!("{plural}.technicaluser.dev");
    stage.api().get(&path("customresourcedefinitions", "", &name)).expect("a CRD")
}

#[test]
fn charts_are_upgraded_taken_away_and_put_back_and_no_credential_is_lost() {
    let stage = Stage::own();
    let team = Team::on_btp(&stage, "helm");
    let operator = stage.start_operator(&[]);
    team.apply_quickstart();
    team.ready(&["technicalusers/orders", "rolebindings/orders-may-send", "rolebindings/jane-reads"]);

    a_changed_value_arrives(&stage);
    a_changed_crd_arrives(&stage);
    what_is_uninstalled_leaves_users_and_secrets(&team, operator);
    what_is_installed_again_goes_on_as_before(&team);
}

fn a_changed_value_arrives(stage: &Stage) {
    let budget = || stage.kubectl().get(OPERATOR_NAMESPACE, &format!("poddisruptionbudget/{RELEASE}"));
    assert_eq!(budget(), None, "a budget for a single replica would block every drain");
    stage.install(RELEASE, &["--set", "replicas=2", "--set", "concurrency=7", "--set", "podLabels.team=platform"]);
    let template = &deployment(stage).expect("the Deployment")["spec"]["template"];
    let arguments = template["spec"]["containers"][0]["args"].as_array().expect("arguments").clone();
    assert!(arguments.contains(&json!("--concurrency=7")), "{arguments:?}");
    the_operator_knows_what_it_is_passed(&arguments);
    assert_eq!(template["metadata"]["labels"]["team"], "platform");
    assert!(budget().is_some());
    helm(&stage.kubectl(), &["rollback", RELEASE, "1", "--namespace", OPERATOR_NAMESPACE]);
    assert_eq!(deployment(stage).expect("the Deployment")["spec"]["replicas"], 0);
    assert_eq!(budget(), None);
}

/// Nothing here runs the container, so that its arguments are right must be seen in another way.
fn the_operator_knows_what_it_is_passed(arguments: &[Value]) {
    let arguments = arguments.iter().map(|one| one.as_str().expect("text").replace("$(POD_NAMESPACE)", "system"));
    let command = |arguments: Vec<String>| {
        // With it nothing is begun; what stands before it is looked at all the same.
        Command::new(env!("CARGO_BIN_EXE_technical-user-operator"))
            .args(arguments)
            .arg("--help")
            .output()
            .expect("run it")
    };
    let answer = command(arguments.collect());
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(!command(vec!["--concurrency=none".to_owned()]).status.success(), "else this would prove nothing");
    assert!(!command(vec!["--unknown=1".to_owned()]).status.success());
}

/// A later version of the CRD chart, with a field that this one has not.
fn a_changed_crd_arrives(stage: &Stage) {
    let folder = TempDir::new().expect("a folder");
    let later = later_crds(folder.path());
    let upgrade = ["upgrade", CRDS, &later, "--namespace", OPERATOR_NAMESPACE];
    helm(&stage.kubectl(), &upgrade);
    let properties = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/contact/type";
    assert_eq!(crd(stage, "technicalusers").pointer(properties), Some(&json!("string")));
    let labels = &crd(stage, "platforms")["metadata"]["labels"];
    assert_eq!(labels["app.kubernetes.io/version"], "99.0.0");
}

fn later_crds(folder: &Path) -> String {
    let chart = folder.join(CRDS);
    // The CRDs in it are a link to those of the repository, which `-L` follows.
    let copied = Command::new("cp").args(["-rL", &format!("{CHARTS}/{CRDS}")]).arg(&chart).status().expect("cp");
    assert!(copied.success());
    change(&chart.join("Chart.yaml"), "appVersion: 0.1.0", "appVersion: 99.0.0");
    let description = "              description:\n";
    let contact = "              contact:\n                type: string\n";
    change(&chart.join("files/technicalusers.yaml"), description, &format!("{contact}{description}"));
    chart.to_str().expect("a path in UTF-8").to_owned()
}

fn change(file: &Path, before: &str, after: &str) {
    let text = fs::read_to_string(file).expect("read a file of the chart");
    assert_eq!(text.matches(before).count(), 1, "{before:?} in {}", file.display());
    fs::write(file, text.replace(before, after)).expect("write a file of the chart");
}

fn what_is_uninstalled_leaves_users_and_secrets(team: &Team<'_>, operator: Operator) {
    let (user, secret) = (team.get("technicalusers/orders"), team.get(&format!("secrets/{CREDENTIALS}")));
    assert!(operator.stop().0.success());
    for release in [RELEASE, CRDS] {
        helm(&team.stage.kubectl(), &["uninstall", release, "--namespace", OPERATOR_NAMESPACE, "--wait"]);
    }
    assert_eq!(deployment(team.stage), None);
    let account = team.stage.kubectl().get(OPERATOR_NAMESPACE, &format!("serviceaccount/{RELEASE}"));
    assert_eq!(account, None);
    assert_eq!(team.stage.kubectl().get("", &format!("clusterrole/{RELEASE}")), None);
    assert_eq!(policies(&team.stage.kubectl(), RELEASE), Vec::<String>::new());
    for plural in ["platforms", "technicalusers", "rolebindings"] {
        assert_eq!(crd(team.stage, plural)["metadata"]["deletionTimestamp"], Value::Null, "{plural}");
    }
    assert_eq!((team.get("technicalusers/orders"), team.get(&format!("secrets/{CREDENTIALS}"))), (user, secret));
}

/// Helm takes the kept CRDs for its own again, and the operator takes up the users where it left them.
fn what_is_installed_again_goes_on_as_before(team: &Team<'_>) {
    let (user, secret) = (team.get("technicalusers/orders"), team.get(&format!("secrets/{CREDENTIALS}")));
    team.stage.install(CRDS, &[]);
    team.stage.install(RELEASE, &["--set", "replicas=0"]);
    let _operator = team.stage.start_operator(&[]);
    team.apply(&team.service_key("later"));
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    team.apply(&team.role_binding("later", &json!({ "technicalUser": { "name": "later" } }), &[role]));
    team.ready(&["technicalusers/later", "technicalusers/orders"]);
    assert_eq!((team.get("technicalusers/orders"), team.get(&format!("secrets/{CREDENTIALS}"))), (user, secret));
    team.delete_everything();
}

/// Names of the admission policies of a release, and of what puts them in force.
fn policies(kubectl: &Kubectl, release: &str) -> Vec<String> {
    let kinds = ["validatingadmissionpolicies", "validatingadmissionpolicybindings"];
    let all = kinds.into_iter().flat_map(|kind| kubectl.list("", kind));
    let names = all.filter_map(|one| one["metadata"]["name"].as_str().map(str::to_owned));
    names.filter(|name| name.starts_with(release)).collect()
}

#[test]
fn the_admission_policies_can_be_left_out() {
    let kubectl = ControlPlane::shared().kubectl();
    let (chart, off) = (operator_chart(), ["--set", "admissionPolicy.enabled=false"]);
    let template = ["template", "left-out", &chart, "--namespace", "default"];
    let count = |values: &[&str]| helm(&kubectl, &[&template, values].concat()).matches("ValidatingAdmission").count();
    // Each kind stands once in what it makes, and a binding names no kind.
    assert_eq!((count(&[]), count(&off)), (8, 0));
}

#[test]
fn an_authority_of_ones_own_is_trusted_beside_the_public_ones() {
    let stage = Stage::alone();
    let team = Team::new(&stage, "own-authority");
    let folder = TempDir::new().expect("a folder");
    fs::copy(ca_file(), folder.path().join("ca.crt")).expect("copy the authority");
    let mut environment = rendered_environment(&stage.kubectl(), &["--set", "authorities.configMap=acme"]);
    let mounted = "/etc/technical-user-operator/authorities";
    assert!(environment.contains(&format!("/etc/ssl/certs:{mounted}")), "{environment}");
    environment = environment.replace(mounted, folder.path().to_str().expect("a path in UTF-8"));
    for api in ["xsuaa", "service-manager"] {
        team.admin_secret(api, &team.simulator.credential(api, "x509"));
    }
    team.apply(&team.btp());

    let stranger = Settings { trusts_simulators: false, ..Stage::settings() };
    let operator = stage.start_operator_with(&stranger);
    team.not_ready("platforms/own-authority", "PlatformUnavailable", "");
    drop(operator);

    let settings = Settings { environment: &[("SSL_CERT_DIR", &environment)], ..stranger };
    let _operator = stage.start_operator_with(&settings);
    team.ready(&["platforms/own-authority"]);
    team.delete_everything();
}

/// The variable by which the chart says where authorities lie.
fn rendered_environment(kubectl: &Kubectl, values: &[&str]) -> String {
    let chart = operator_chart();
    let template = ["template", "rendered", &chart, "--show-only", "templates/deployment.yaml"];
    let rendered = helm(kubectl, &[&template, values].concat());
    let after = rendered.split("name: SSL_CERT_DIR, value: \"").nth(1).expect("the variable");
    after.split('"').next().expect("its value").to_owned()
}

#[test]
fn values_that_cannot_be_meant_are_refused_before_anything_is_made() {
    let kubectl = ControlPlane::shared().kubectl();
    let chart = operator_chart();
    let refused = |values: &[&str], part: &str| {
        let install = ["install", "refused", &chart, "--namespace", "default"];
        let refusal = kubectl.helm(&[&install, values].concat()).expect_err(&values.join(" "));
        assert!(refusal.contains("values don't meet the specifications") && refusal.contains(part), "{refusal}");
    };
    refused(&["--set", "replica=2"], "replica");
    refused(&["--set", "replicas=6"], "replicas");
    refused(&["--set-string", "replicas=2"], "replicas");
    refused(&["--set", "logFormat=xml"], "logFormat");
    refused(&["--set", "concurrency=0"], "concurrency");
    refused(&["--set", "orderLimit=soon"], "orderLimit");
    refused(&["--set", "image.pullPolicy=Sometimes"], "pullPolicy");
    refused(&["--set", "image.digest=sha256:12"], "digest");
    refused(&["--set", "resources.limits.memory=lots"], "memory");
    refused(&["--set", "networkPolicy.egressPorts={70000}"], "egressPorts");
    refused(&["--set", "serviceAccount.create=false"], "name");
    refused(&["--set", "admissionPolicy.enabled=yes"], "admissionPolicy");
    refused(&["--set", "proxy.https=http://user:password@proxy.example:3128"], "proxy");
    refused(&["--set", "proxy.https=http://proxy.example"], "proxy");
    refused(&["--set", "authorities.configMap=Acme_CA"], "configMap");
    refused(&["--set", r"podLabels.app\.kubernetes\.io/name=mine"], "app.kubernetes.io/name");
    assert_eq!(helm(&kubectl, &["list", "--short", "--namespace", "default"]), "");
}

#[test]
fn its_pod_is_admitted_where_the_restricted_standard_is_enforced() {
    let kubectl = ControlPlane::shared().kubectl();
    kubectl.ok(&["create", "namespace", "restricted"]);
    kubectl.ok(&["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
    let refusal = kubectl.run(&["run", "lax", "--image=lax", "--namespace", "restricted"]);
    assert!(refusal.expect_err("the standard is enforced").contains("PodSecurity"));

    // Its policies would keep the operator of the other stories from its own record.
    let alone = ["--set", "admissionPolicy.enabled=false"];
    let install = ["install", "restricted", &operator_chart(), "--namespace", "restricted"];
    helm(&kubectl, &[&install, &alone[..]].concat());

    // Nothing runs pods here: that there is one says that it was admitted.
    let pod = eventually("the pod", PATIENCE, || kubectl.list("restricted", "pods").pop());
    assert_eq!(pod["spec"]["serviceAccountName"], "restricted-technical-user-operator");
    assert_eq!(pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);
    helm(&kubectl, &["uninstall", "restricted", "--namespace", "restricted"]);
    kubectl.ok(&["delete", "namespace", "restricted", "--wait=false"]);
}
