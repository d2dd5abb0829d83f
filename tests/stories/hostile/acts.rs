//! What somebody with every right in one namespace does there, at random and again from the same seed: objects of every
//! kind the API server takes, edits, deletions, Secrets in the way, forgeries, and reaches beyond the namespace.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::api::path;
use crate::harness::stage::OPERATOR_NAMESPACE;
use crate::harness::team::{manifest, secret};
use crate::harness::{PATIENCE, Person, Team, eventually};

const USERS: [&str; 6] = ["u0", "u1", "u2", "u3", "u4", "u5"];
const BINDINGS: [&str; 8] = ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"];
const SECRETS: [&str; 4] = ["s0", "s1", "s2", "s3"];
const OURS: &str = "technicaluser.dev/";
const MINE: &str = "acme.example/mine";

/// Somebody hostile.
pub(super) struct Mallory<'a> {
    team: &'a Team<'a>,
    person: Person,
    neighbour: String,
    random: StdRng,
}

impl<'a> Mallory<'a> {
    pub(super) fn new(team: &'a Team<'a>, neighbour: &str, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { team, person: team.member(), neighbour: neighbour.to_owned(), random }
    }

    /// One thing that Mallory tries. What it was, and what the API server said to it.
    pub(super) fn act(&mut self) -> String {
        match self.random.random_range(0..24) {
            0..7 => self.applies_a_user(),
            7..13 => self.applies_a_binding(),
            13..16 => self.deletes(),
            16..20 => self.meddles_with_a_secret(),
            20 => self.forges_a_status(),
            21..23 => self.marks_an_object(),
            _ => self.reaches_out(),
        }
    }

    /// How long Mallory waits for the next, in milliseconds.
    pub(super) fn pause(&mut self) -> u64 {
        self.random.random_range(0..60)
    }

    fn one<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.random.random_range(0..of.len())]
    }

    /// Up to five different ones.
    fn some(&mut self, of: &[Value]) -> Vec<Value> {
        let mut chosen: Vec<Value> = vec![];
        for _ in 0..self.random.random_range(1..6) {
            let one = self.one(of).clone();
            if !chosen.contains(&one) {
                chosen.push(one);
            }
        }
        chosen
    }

    fn platform(&mut self) -> String {
        let all =
            [&self.team.name, &self.team.name, &self.team.name, &self.team.name, &self.neighbour].map(Clone::clone);
        self.one(&all).clone()
    }

    fn deletion_policy(&mut self) -> &'static str {
        const POLICIES: [&str; 5] = ["Delete", "Delete", "Delete", "Delete", "Orphan"];
        self.one::<&str>(&POLICIES)
    }

    fn applies_a_user(&mut self) -> String {
        // Half of them may be what they are, so that there is something to lose.
        let usual = json!({ "serviceKey": { "offering": "it-rt", "plan": "integration-flow" } });
        let other = self.one(&identities()).clone();
        let identity = self.one(&[usual, other]).clone();
        let (mode, name) = (*self.one(&["Enforce", "Enforce", "Enforce", "Observe"]), *self.one(&USERS));
        let mut spec = json!({
            "platformRef": { "name": self.platform() }, "identity": identity, "mode": mode,
            "deletionPolicy": self.deletion_policy(),
        });
        if identity.get("existing").is_none() {
            spec["credential"] = json!({ "secretName": self.one(&SECRETS) });
        }
        // What it is cannot be edited.
        if self.random.random_bool(0.5) {
            self.person.api.delete(&self.team.path(&format!("technicalusers/{name}")));
        }
        self.apply(&manifest("TechnicalUser", &self.team.name, name, &spec))
    }

    fn applies_a_binding(&mut self) -> String {
        let (subjects, roles) = (self.some(&subjects()), self.some(&roles()));
        let spec = json!({
            "platformRef": { "name": self.platform() }, "subjects": subjects, "roles": roles,
            "deletionPolicy": self.deletion_policy(),
        });
        let name = *self.one(&BINDINGS);
        self.apply(&manifest("RoleBinding", &self.team.name, name, &spec))
    }

    fn object(&mut self) -> String {
        let (user, binding) = (*self.one(&USERS), *self.one(&BINDINGS));
        self.one(&[format!("technicalusers/{user}"), format!("rolebindings/{binding}")]).clone()
    }

    fn deletes(&mut self) -> String {
        let what = self.object();
        self.person.api.delete(&self.team.path(&what));
        format!("delete {what}")
    }

    fn meddles_with_a_secret(&mut self) -> String {
        let (name, user) = (*self.one(&SECRETS), *self.one(&USERS));
        let what = format!("secrets/{name}");
        let uid = self.team.get(&format!("technicalusers/{user}")).map(|user| user["metadata"]["uid"].clone());
        let owner =
            json!({ "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser", "name": user, "uid": uid });
        match self.random.random_range(0..6) {
            0 => self.apply(&secret(&self.team.name, name, &json!({ "theirs": "value" }))),
            1 => {
                self.person.api.delete(&self.team.path(&what));
                format!("delete {what}")
            }
            2 => self.patch(&what, &json!({ "stringData": { "clientsecret": "altered" } })),
            3 => self.patch(&what, &json!({ "metadata": { "ownerReferences": null, "labels": null } })),
            4 => self.patch(&what, &json!({ "metadata": { "ownerReferences": [owner] } })),
            _ => {
                let annotations = json!({ format!("{OURS}sequence"): "99", format!("{OURS}fingerprint"): "forged" });
                self.patch(&what, &json!({ "metadata": { "annotations": annotations } }))
            }
        }
    }

    /// The record is the operator's: the neighbour's grant is not made ours by writing so.
    fn forges_a_status(&mut self) -> String {
        let what = self.object();
        let holder = json!({ "kind": "User", "name": "boss@acme.example", "origin": "sap.default" });
        let role = json!({ "roleCollection": { "name": "PI_Administrator" } });
        let ledger = json!([{ "holder": holder, "role": role, "owned": true, "wanted": false }]);
        let forged =
            json!({ "status": { "ledger": ledger, "identity": null, "credential": null, "deniedSince": null } });
        let refused = self.person.api.patch(&format!("{}/status", self.team.path(&what)), &forged);
        format!("forge the status of {what}: {}", refused.expect_err("nobody but the operator writes a status"))
    }

    /// Annotations and finalizers of ours.
    fn marks_an_object(&mut self) -> String {
        let what = self.object();
        let annotated =
            |key: &str, value: &str| json!({ "metadata": { "annotations": { format!("{OURS}{key}"): value } } });
        let parts = [
            annotated("orphan", "true"),
            annotated("remove-unclaimed", "*"),
            json!({ "metadata": { "annotations": { "note": "look again" } } }),
            json!({ "metadata": { "finalizers": null } }),
            json!({ "metadata": { "finalizers": [format!("{OURS}cleanup"), MINE] } }),
            json!({ "spec": { "mode": "Observe" } }),
            json!({ "spec": { "deletionPolicy": "Orphan" } }),
        ];
        let part = self.one(&parts).clone();
        self.patch(&what, &part)
    }

    /// RBAC stands in the way of this: a right that a namespace's person had elsewhere would be a mistake of the chart's.
    fn reaches_out(&mut self) -> String {
        let theirs = json!({ "theirs": "value" });
        let user =
            json!({ "platformRef": { "name": self.neighbour }, "identity": { "existing": { "userName": "me" } } });
        let manifests = [
            secret(OPERATOR_NAMESPACE, &format!("{}-xsuaa", self.team.name), &theirs),
            secret(&self.neighbour, "orders-credentials", &theirs),
            manifest("TechnicalUser", &self.neighbour, "orders", &user),
            manifest("Platform", "", &self.team.name, &json!({ "access": [] })),
        ];
        let manifest = self.one(&manifests);
        let refusal = self.person.api.apply(manifest).expect_err("nobody reaches out of a namespace");
        format!("{manifest}: {refusal}")
    }

    fn apply(&self, manifest: &Value) -> String {
        said(&manifest.to_string(), self.person.api.apply(manifest))
    }

    fn patch(&self, what: &str, part: &Value) -> String {
        said(&format!("{what} {part}"), self.person.api.patch(&self.team.path(what), part))
    }

    /// Takes off what holds objects and is Mallory's own, so that the namespace can go.
    pub(super) fn lets_go(&self) {
        eventually("no finalizer of Mallory's is left", PATIENCE, || {
            let kinds = ["technicalusers", "rolebindings"].into_iter();
            let mut held = kinds.flat_map(|kind| self.held(kind)).peekable();
            let none_left = held.peek().is_none();
            for (path, part) in held {
                // Somebody else may have been first.
                drop(self.person.api.patch(&path, &part));
            }
            none_left.then_some(())
        });
    }

    /// The objects of a kind with a finalizer of Mallory's, and what takes it off.
    fn held(&self, kind: &str) -> Vec<(String, Value)> {
        let objects = self.team.stage.api().list(&path(kind, &self.team.name, ""));
        let taken_off = |object: &Value| {
            let metadata = &object["metadata"];
            let finalizers = metadata["finalizers"].as_array()?;
            let others: Vec<_> = finalizers.iter().filter(|one| *one != MINE).collect();
            let part = json!({ "metadata": { "resourceVersion": metadata["resourceVersion"], "finalizers": others } });
            let path = path(kind, &self.team.name, metadata["name"].as_str()?);
            (others.len() < finalizers.len()).then_some((path, part))
        };
        objects.iter().filter_map(taken_off).collect()
    }
}

fn said(what: &str, answer: Result<Value, String>) -> String {
    match answer {
        Ok(_) => what.to_owned(),
        Err(refusal) => format!("{what}: {refusal}"),
    }
}

fn identities() -> Vec<Value> {
    let key = |offering: &str, plan: &str| json!({ "serviceKey": { "offering": offering, "plan": plan } });
    let with = |parameters: Value| json!({ "serviceKey": { "offering": "it-rt", "plan": "integration-flow", "parameters": parameters } });
    vec![
        with(json!({ "grant-types": ["client_credentials"] })),
        with(json!({ "roles": ["Secret.Admin"] })),
        with(json!({ "ROLES": ["Secret.Admin"] })),
        key("it-rt", "api"),
        key("xsuaa", "apiaccess"),
        key("XSUAA", "apiaccess"),
        key("service-manager", "subaccount-admin"),
        key("destination", "lite"),
        json!({ "oauthClient": {} }),
        json!({ "existing": { "userName": "svc-robot", "origin": "sap.custom" } }),
        json!({ "existing": { "userName": "svc-robot" } }),
        json!({ "existing": { "userName": "mallory@evil.example" } }),
        json!({ "existing": { "userName": "boss@acme.example" } }),
    ]
}

fn subjects() -> Vec<Value> {
    let user = |name: &str| json!({ "user": { "name": name } });
    let of = |kind: &str, name: &str, origin: &str| json!({ kind: { "name": name, "origin": origin } });
    let own = USERS.map(|name| json!({ "technicalUser": { "name": name } }));
    let others = [
        user("jane@acme.example"),
        user("john@acme.example"),
        user("john@acme.example"),
        user("BOSS@acme.example"),
        user("mallory@evil.example"),
        user("mallory@evil.example@acme.example"),
        of("user", "jane@acme.example", "ldap"),
        of("user", "jane@acme.example", "corporate"),
        of("user", "svc-robot", "sap.custom"),
        of("group", "developers", "sap.custom"),
        of("group", "developers", "sap.custom"),
        of("group", "developers", "corporate"),
        of("group", "administrators", "sap.custom"),
    ];
    own.clone().into_iter().chain(own).chain(others).collect()
}

fn roles() -> Vec<Value> {
    let collection = |name: &str| json!({ "roleCollection": { "name": name } });
    let own = |name: &str| json!({ "instanceRole": { "name": name } });
    vec![
        collection("PI_Read_Only"),
        collection("PI_Read_Only"),
        collection("PI_Business_Expert"),
        collection("Order Intake Support"),
        collection("PI_Administrator"),
        collection("PI_Business_Expert"),
        collection("Order Intake Support"),
        collection("Subaccount Viewer"),
        collection("Subaccount Administrator"),
        collection("Subaccount Nobody"),
        own("ESBMessaging.send"),
        own("ESBMessaging.send"),
        own("ESBMessaging.send"),
        own("ESBMessaging.receive"),
        own("ESBMessaging.receive"),
        own("ESBMessaging.send,Secret.Admin"),
        own("Secret.Admin"),
        own("*"),
        json!({ "memberRole": { "name": "AccountAdministrator" } }),
        json!({ "authority": { "name": "uaa.admin" } }),
    ]
}
