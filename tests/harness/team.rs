//! Who a story is about: a team with a namespace, and a simulated platform of its own behind a Platform of the same name.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::api::path;
use super::simulator::Simulator;
use super::stage::{OPERATOR_NAMESPACE, Stage};
use super::{Person, eventually};

/// Generous: the machine may be busy with other stories.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The team. Everything it makes carries its name, so that stories do not meet.
pub(crate) struct Team<'a> {
    /// Where it plays.
    pub(crate) stage: &'a Stage,
    /// Its namespace, and its Platform.
    pub(crate) name: String,
    /// The platforms behind it.
    pub(crate) simulator: Simulator,
}

/// What the operator said goes with the message of a story that fails.
impl Drop for Team<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the operator said last about {}:\n{}", self.name, self.stage.said_about(&self.name));
        }
    }
}

impl<'a> Team<'a> {
    /// A namespace and a simulator, and no Platform yet.
    pub(crate) fn new(stage: &'a Stage, name: &str) -> Self {
        Self::with(stage, name, Simulator::start())
    }

    /// The same with a simulator that was started for it, such as one with settings of its own.
    pub(crate) fn with(stage: &'a Stage, name: &str, simulator: Simulator) -> Self {
        let team = Self { stage, name: name.to_owned(), simulator };
        team.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        team
    }

    /// A namespace that may do everything on a subaccount of the multi-environment.
    pub(crate) fn on_btp(stage: &'a Stage, name: &str) -> Self {
        let team = Self::new(stage, name);
        team.btp_secrets();
        team.apply(&team.btp());
        team
    }

    /// The admin credentials of a subaccount of the multi-environment.
    pub(crate) fn btp_secrets(&self) {
        for api in ["xsuaa", "service-manager"] {
            self.admin_secret(api, &self.simulator.credential(api, "secret"));
        }
    }

    /// The same with a tenant of Cloud Identity Services, whose users the subaccount knows as those of `sap.custom`.
    pub(crate) fn on_btp_with_identity_service(stage: &'a Stage, name: &str) -> Self {
        let team = Self::new(stage, name);
        for api in ["xsuaa", "service-manager", "identity-service"] {
            team.admin_secret(api, &team.simulator.credential(api, "secret"));
        }
        let mut platform = team.btp();
        let secret = json!({ "name": format!("{name}-identity-service") });
        let url = format!("{}/identity-service", team.simulator.url());
        platform["spec"]["environment"]["btp"]["identityService"] =
            json!({ "url": url, "origin": "sap.custom", "credentialsSecretRef": secret });
        team.apply(&platform);
        team
    }

    /// The Platform of [`Team::on_btp`], for a story to change before it applies it.
    pub(crate) fn btp(&self) -> Value {
        let secret = |api| json!({ "credentialsSecretRef": { "name": format!("{}-{api}", self.name) } });
        let environment =
            json!({ "btp": { "authorization": secret("xsuaa"), "serviceManager": secret("service-manager") } });
        self.platform(&environment)
    }

    /// A Platform that lets the team do everything.
    pub(crate) fn platform(&self, environment: &Value) -> Value {
        let everything = everything(&json!({ "names": [self.name] }));
        let spec = json!({ "environment": environment, "access": [everything], "resyncInterval": "5s" });
        manifest("Platform", "", &self.name, &spec)
    }

    /// Puts an admin credential into the operator's namespace, as one JSON value under a key.
    pub(crate) fn admin_secret(&self, api: &str, credential: &Value) {
        let data = json!({ "credentials": credential.to_string() });
        self.apply(&secret(OPERATOR_NAMESPACE, &format!("{}-{api}", self.name), &data));
    }

    /// A technical user with a service key of Cloud Integration, whose Secret is called `<name>-credentials`.
    pub(crate) fn service_key(&self, name: &str) -> Value {
        let identity = json!({ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } });
        self.technical_user(name, &identity, &json!({ "secretName": format!("{name}-credentials") }))
    }

    /// A technical user; `credential` may be null.
    pub(crate) fn technical_user(&self, name: &str, identity: &Value, credential: &Value) -> Value {
        let mut spec = json!({ "platformRef": { "name": self.name }, "identity": identity });
        if !credential.is_null() {
            spec["credential"] = credential.clone();
        }
        manifest("TechnicalUser", &self.name, name, &spec)
    }

    /// Every role for one subject.
    pub(crate) fn role_binding(&self, name: &str, subject: &Value, roles: &[Value]) -> Value {
        let spec = json!({ "platformRef": { "name": self.name }, "subjects": [subject], "roles": roles });
        manifest("RoleBinding", &self.name, name, &spec)
    }

    /// What the quick start does, in this namespace: the service key `orders` that may send, and a role collection for Jane.
    pub(crate) fn apply_quickstart(&self) {
        self.apply(&self.service_key("orders"));
        self.apply(&self.may_send());
        self.apply(&self.jane_reads());
    }

    /// The role binding by which `orders` may send.
    pub(crate) fn may_send(&self) -> Value {
        let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
        self.role_binding("orders-may-send", &json!({ "technicalUser": { "name": "orders" } }), &[role])
    }

    /// The role binding by which Jane reads.
    pub(crate) fn jane_reads(&self) -> Value {
        let role = json!({ "roleCollection": { "name": "PI_Read_Only" } });
        self.role_binding("jane-reads", &json!({ "user": { "name": "jane@acme.example" } }), &[role])
    }

    /// Applies a manifest that has to be taken.
    pub(crate) fn apply(&self, manifest: &Value) {
        if let Err(refusal) = self.stage.api().apply(manifest) {
            panic!("{manifest}: {refusal}");
        }
    }

    /// Merges a part into one of the team's objects.
    pub(crate) fn patch(&self, what: &str, part: &Value) {
        if let Err(refusal) = self.stage.api().patch(&self.path(what), part) {
            panic!("{what} {part}: {refusal}");
        }
    }

    /// One of the team's objects, named `resource/name`.
    pub(crate) fn get(&self, what: &str) -> Option<Value> {
        self.stage.api().get(&self.path(what))
    }

    /// Asks one of the team's objects to go.
    pub(crate) fn delete(&self, what: &str) {
        self.stage.api().delete(&self.path(what));
    }

    /// Waits until an object is gone.
    pub(crate) fn gone(&self, what: &str) {
        eventually(&format!("{what} of {} is gone", self.name), PATIENCE, || self.get(what).is_none().then_some(()));
    }

    /// Deletes everything of the team and waits until it is gone.
    pub(crate) fn delete_everything(&self) {
        self.delete(&format!("namespaces/{}", self.name));
        self.delete(&format!("platforms/{}", self.name));
        self.gone(&format!("namespaces/{}", self.name));
        self.gone(&format!("platforms/{}", self.name));
    }

    /// The data of one of the team's Secrets, decoded.
    pub(crate) fn secret(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let secret = self.get(&format!("secrets/{name}"))?;
        let data = secret["data"].as_object().cloned().unwrap_or_default();
        let decoded = |value: &Value| BASE64_STANDARD.decode(value.as_str().expect("text")).expect("base64");
        let text = |value: &Value| String::from_utf8(decoded(value)).expect("UTF-8");
        Some(data.iter().map(|(key, value)| (key.clone(), text(value))).collect())
    }

    /// Events about one of the team's objects: reason and sentence.
    pub(crate) fn events(&self, name: &str) -> Vec<(String, String)> {
        let named = |event: &Value| event["involvedObject"]["name"] == name;
        let events = self.stage.api().list(&path("events", &self.name, ""));
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .filter(|event| named(event))
            .map(|event| (text(event, "reason"), text(event, "message")))
            .collect()
    }

    /// Waits for an event whose sentence contains a text.
    pub(crate) fn told(&self, name: &str, reason: &str, part: &str) {
        let what = format!("an event {reason} of {name} with {part:?}");
        let mut seen = vec![];
        eventually(&what, PATIENCE, || {
            seen = self.events(name);
            seen.iter().any(|(one, sentence)| one == reason && sentence.contains(part)).then_some(())
        });
    }

    /// Somebody of the team, who may do everything in its namespace and nothing anywhere else.
    pub(crate) fn member(&self) -> Person {
        Person::with_everything_in(self.stage, &self.name)
    }

    /// Somebody who answers for the team's Platform, and has no other right over the cluster.
    pub(crate) fn platform_owner(&self) -> Person {
        Person::who_answers_for(self.stage, &self.name)
    }

    /// Where one of the team's objects lives.
    pub(crate) fn path(&self, what: &str) -> String {
        let (resource, name) = what.split_once('/').expect("resource/name");
        let namespace = if ["platforms", "namespaces"].contains(&resource) { "" } else { &self.name };
        path(resource, namespace, name)
    }
}

/// A manifest of one of our kinds.
pub(crate) fn manifest(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    let mut metadata = json!({ "name": name });
    if !namespace.is_empty() {
        metadata["namespace"] = json!(namespace);
    }
    json!({ "apiVersion": "technicaluser.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec })
}

/// A Secret with these texts.
pub(crate) fn secret(namespace: &str, name: &str, data: &Value) -> Value {
    let metadata = json!({ "name": name, "namespace": namespace });
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data })
}

/// A rule that allows these namespaces everything, short of what must be spelled out.
pub(crate) fn everything(namespaces: &Value) -> Value {
    let (all, named) = ("*", json!({ "name": "*" }));
    let everybody = json!({ "name": all, "origin": all });
    json!({
        "namespaces": namespaces,
        "identities": [
            { "serviceKey": { "offering": all, "plan": all } },
            { "oauthClient": {} },
            { "directoryUser": { "userName": all, "email": all } },
            // `*` alone is refused: whoever may choose any name is any user.
            { "certificateUser": { "userName": "tu-*" } },
            { "certificateUser": { "userName": "P00*" } },
            { "existing": { "userName": all, "origin": all } },
        ],
        "grants": [{
            "roles": [
                { "roleCollection": named }, { "memberRole": named }, { "authority": named },
                { "groupMembership": { "group": all } },
                // What administers a platform is meant by no wildcard.
                { "memberRole": { "name": "AccountAdministrator" } },
                { "spaceRole": { "organization": all, "space": all, "type": "space_developer" } },
                { "organizationRole": { "organization": all, "type": all } },
                { "spaceRole": { "organization": all, "space": all, "type": all } },
                { "instanceRole": { "offering": all, "name": all } },
                { "applicationRole": { "application": all, "name": all } },
                { "applicationRole": { "application": all, "provider": all, "name": all } },
                { "groupMembership": { "group": all } },
            ],
            "to": [{ "technicalUser": {} }, { "user": everybody }, { "group": everybody }],
        }],
        "orphan": true,
    })
}
