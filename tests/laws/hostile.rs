//! What people with every right in one namespace do there, and what those who own the Platform do against it.
//!
//! With the admission policy of the chart they write neither a status nor take off the finalizer, nor set the orphan
//! annotation. [`Forgery`] is what they do on a cluster without it.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kubernetes::{Address, Kind};
use crate::landscape::Landscape;
use crate::manifests::{JANE, PLATFORM, SECRET, TEAM, USER, platform, role_name, secret};
use crate::meddling::Meddling;

/// Something that is done to Kubernetes.
#[derive(Clone, Debug)]
pub enum Act {
    /// A TechnicalUser of this name is applied.
    User(usize, Value),
    /// A RoleBinding of this name is applied.
    Binding(usize, Value),
    DeleteUser(usize),
    DeleteBinding(usize),
    Meddle(Meddling),
    /// The Secret becomes somebody else's: its owners are taken off.
    Disown,
    /// A Secret of that name is there that was never ours.
    Squat,
    /// An annotation that means nothing.
    Annotate(usize, u8),
}

/// What the owners of the Platform change.
#[derive(Clone, Debug)]
pub enum Policy {
    Rules(Vec<Value>),
    Labels(u8),
}

/// What only a cluster without the admission policy lets them do.
#[derive(Clone, Debug)]
pub enum Forgery {
    /// The finalizer of a RoleBinding, or of the TechnicalUser 0, is taken off.
    DropFinalizer(Option<usize>),
    /// The status becomes empty.
    WipeStatus(Option<usize>),
}

fn user(number: usize) -> Address {
    let name = if number == 0 { USER.to_owned() } else { format!("{USER}-{number}") };
    Address::new(Kind::TechnicalUser, TEAM, &name)
}

fn binding(number: usize) -> Address {
    Address::new(Kind::RoleBinding, TEAM, &format!("binding-{number}"))
}

impl Act {
    pub fn strike(&self, landscape: &Landscape) {
        match self {
            Self::User(number, object) => landscape.apply(&user(*number), object),
            Self::Binding(number, object) => landscape.apply(&binding(*number), object),
            Self::DeleteUser(number) => landscape.delete(&user(*number)),
            Self::DeleteBinding(number) => landscape.delete(&binding(*number)),
            Self::Meddle(meddling) => meddling.strike(landscape),
            Self::Disown => drop(landscape.outside().kubernetes.merge(
                &secret(),
                &json!({"metadata": {"ownerReferences": null, "labels": null}}),
                false,
            )),
            Self::Squat => {
                landscape.delete(&secret());
                let data = json!({"metadata": {}, "data": {}});
                drop(landscape.outside().kubernetes.create(&secret(), data));
            }
            Self::Annotate(number, value) => drop(landscape.outside().kubernetes.merge(
                &user(*number),
                &json!({"metadata": {"annotations": {"note": value.to_string()}}}),
                false,
            )),
        }
    }

    /// Whatever a person of the namespace may do.
    pub fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            3 => (0..2_usize, users()).prop_map(|(number, object)| Self::User(number, object)),
            4 => (0..3_usize, bindings()).prop_map(|(number, object)| Self::Binding(number, object)),
            1 => (0..2_usize).prop_map(Self::DeleteUser),
            1 => (0..3_usize).prop_map(Self::DeleteBinding),
            1 => Meddling::any().prop_map(Self::Meddle),
            1 => Just(Self::Disown),
            1 => Just(Self::Squat),
            1 => (0..2_usize, any::<u8>()).prop_map(|(number, value)| Self::Annotate(number, value)),
        ]
    }
}

impl Policy {
    pub fn strike(&self, landscape: &Landscape) {
        let store = &mut landscape.outside().kubernetes;
        match self {
            Self::Rules(rules) => drop(store.merge(&platform(), &json!({"spec": {"access": rules}}), false)),
            Self::Labels(team) => drop(store.merge(
                &Address::new(Kind::Namespace, "", TEAM),
                &json!({"metadata": {"labels": {"team": team.to_string()}}}),
                false,
            )),
        }
    }

    pub fn any() -> impl Strategy<Value = Self> {
        prop_oneof![3 => rules().prop_map(Self::Rules), 1 => (0..2_u8).prop_map(Self::Labels)]
    }
}

impl Forgery {
    pub fn strike(&self, landscape: &Landscape) {
        let store = &mut landscape.outside().kubernetes;
        match self {
            Self::DropFinalizer(which) => {
                let none = json!({"metadata": {"finalizers": null}});
                drop(store.merge(&named(*which), &none, false));
            }
            Self::WipeStatus(which) => {
                let address = named(*which);
                if let Some(mut object) = store.get(&address).cloned() {
                    object["status"] = json!({});
                    store.replace_status(&address, &object).unwrap();
                }
            }
        }
    }

    pub fn any() -> impl Strategy<Value = Self> {
        let which = || proptest::option::of(0..3_usize);
        prop_oneof![which().prop_map(Self::DropFinalizer), which().prop_map(Self::WipeStatus)]
    }
}

fn named(which: Option<usize>) -> Address {
    which.map_or_else(|| user(0), binding)
}

fn modes() -> impl Strategy<Value = (&'static str, &'static str)> {
    (prop_oneof![3 => Just("Enforce"), 1 => Just("Observe")], prop_oneof![3 => Just("Delete"), 1 => Just("Orphan")])
}

/// TechnicalUsers of every kind.
pub fn users() -> impl Strategy<Value = Value> {
    let identity = prop_oneof![
        3 => Just(json!({"serviceKey": {"offering": "it-rt", "plan": "integration-flow"}})),
        1 => Just(json!({"serviceKey": {"offering": "xsuaa", "plan": "apiaccess"}})),
        1 => Just(json!({"serviceKey": {"offering": "it-rt", "plan": "x", "parameters": {"roles": ["role-9"]}}})),
        1 => Just(json!({"existing": {"userName": JANE, "origin": "sap.custom"}})),
        1 => Just(json!({"existing": {"userName": "mallory"}})),
    ];
    (identity, modes()).prop_map(|(identity, (mode, deletion))| {
        let mut spec =
            json!({"platformRef": {"name": PLATFORM}, "identity": identity, "mode": mode, "deletionPolicy": deletion});
        if identity.get("existing").is_none() {
            spec["credential"] = json!({"secretName": SECRET});
        }
        json!({"metadata": {}, "spec": spec})
    })
}

fn subjects() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"technicalUser": {"name": USER}})),
        Just(json!({"technicalUser": {"name": format!("{USER}-1")}})),
        Just(json!({"user": {"name": JANE, "origin": "sap.custom"}})),
        Just(json!({"user": {"name": "Mallory"}})),
        Just(json!({"group": {"name": "team", "origin": "sap.custom"}})),
    ]
}

fn roles() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (0..2_usize).prop_map(|number| json!({"roleCollection": {"name": role_name(number)}})),
        3 => (0..2_usize).prop_map(|number| json!({"instanceRole": {"name": role_name(number)}})),
        1 => Just(json!({"roleCollection": {"name": "Subaccount Administrator"}})),
    ]
}

/// RoleBindings of every kind.
pub fn bindings() -> impl Strategy<Value = Value> {
    (vec(subjects(), 1..3), vec(roles(), 1..3), modes()).prop_map(|(subjects, roles, (_, deletion))| {
        let unique = |list: Vec<Value>| {
            let texts: BTreeSet<String> = list.iter().map(Value::to_string).collect();
            texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect::<Vec<Value>>()
        };
        let (subjects, roles) = (unique(subjects), unique(roles));
        json!({"metadata": {}, "spec": {
            "platformRef": {"name": PLATFORM}, "subjects": subjects, "roles": roles, "deletionPolicy": deletion,
        }})
    })
}

/// Rules that allow some of it.
pub fn rules() -> impl Strategy<Value = Vec<Value>> {
    let namespaces = prop_oneof![
        3 => Just(json!({"names": [TEAM]})),
        1 => Just(json!({"selector": {"matchLabels": {"team": "0"}}})),
    ];
    let identities = prop_oneof![
        2 => Just(json!({"serviceKey": {"offering": "it-rt", "plan": "*"}})),
        1 => Just(json!({"serviceKey": {"offering": "*", "plan": "*"}})),
        1 => Just(json!({"existing": {"userName": "*"}})),
        1 => Just(json!({"existing": {"userName": "*@acme.example", "origin": "sap.custom"}})),
    ];
    let roles = prop_oneof![
        Just(json!({"roleCollection": {"name": "role-0"}})),
        Just(json!({"roleCollection": {"name": "*"}})),
        Just(json!({"instanceRole": {"offering": "it-rt", "name": "*-0"}})),
        Just(json!({"instanceRole": {"offering": "*", "name": "role-*"}})),
    ];
    let to = prop_oneof![
        2 => Just(json!({"technicalUser": {}})),
        1 => Just(json!({"user": {"name": "*", "origin": "sap.custom"}})),
        1 => Just(json!({"user": {"name": "MALLORY"}})),
        1 => Just(json!({"group": {"name": "team", "origin": "*"}})),
    ];
    let grants = (vec(roles, 1..3), vec(to, 1..3)).prop_map(|(roles, to)| json!({"roles": roles, "to": to}));
    let rule = (namespaces, vec(identities, 0..3), vec(grants, 0..3)).prop_map(|(namespaces, identities, grants)| {
        json!({"namespaces": namespaces, "identities": identities, "grants": grants})
    });
    vec(rule, 0..3)
}
