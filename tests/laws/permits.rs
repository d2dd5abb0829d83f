//! Laws 7 and 11 of the question itself: `permit` against the independent statement of the rules, over random rules and
//! requests; and the grace.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use technical_user_operator::api::{AccessRule, Environment, Identity, Principal, Role};
use technical_user_operator::plan::access::{Asks, Namespace, Request, To, Withdrawal, permit, withdrawal};
use technical_user_operator::plan::environment;
use technical_user_operator::plan::grant::HolderKind;

use crate::config;
use crate::rules::{Rules, Whom};

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-bA]{1,2}",
        1 => "oauth_client_[aA]",
        1 => Just("xsuaa".to_owned()),
        1 => Just("uaa.admin".to_owned()),
        1 => Just("Subaccount Administrator".to_owned()),
    ]
}

fn patterns() -> impl Strategy<Value = String> {
    prop_oneof![2 => "[abA*]{1,3}", 1 => Just("*".to_owned()), 1 => names()]
}

fn origins(text: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof![2 => text, 1 => Just("ldap".to_owned()), 1 => Just("sap.default".to_owned())])
}

/// Types of roles of Cloud Foundry, or patterns of them.
fn types(prefix: &'static str, rest: &'static [&'static str], patterned: bool) -> impl Strategy<Value = String> {
    let stars: &[&str] = if patterned { &["*", "*er"] } else { &[] };
    proptest::sample::select([rest, stars].concat()).prop_map(move |rest| format!("{prefix}{rest}"))
}

fn environments() -> impl Strategy<Value = Value> {
    let reference = json!({"name": "s"});
    prop_oneof![
        Just(json!({"btp": {}})),
        Just(json!({"neo": {"host": "h", "subaccount": "s", "credentialsSecretRef": reference}})),
        Just(json!({"uaa": {"url": "https://u", "credentialsSecretRef": reference}})),
        Just(json!({"cloudFoundry": {"apiUrl": "https://api.c", "credentialsSecretRef": reference}})),
        Just(json!({"scim": {"url": "https://d", "credentialsSecretRef": reference}})),
    ]
}

prop_compose! {
    /// An identity, or a pattern of one, whose texts are like these.
    fn identities(patterned: bool)(
        which in 0..5_u8,
        one in if patterned { patterns().boxed() } else { names().boxed() },
        two in if patterned { patterns().boxed() } else { names().boxed() },
        origin in origins(if patterned { patterns().boxed() } else { names().boxed() }),
        space in proptest::option::of(if patterned { patterns().boxed() } else { names().boxed() }),
        email in proptest::option::of(if patterned { patterns().boxed() } else { names().boxed() }),
    ) -> Value {
        match which {
            0 => {
                let mut key = json!({"offering": one, "plan": two});
                space.into_iter().for_each(|name| key["space"] = json!({"organization": two, "name": name}));
                json!({"serviceKey": key})
            }
            1 => json!({"oauthClient": {}}),
            2 => {
                let mut user = json!({"userName": one});
                email.into_iter().for_each(|email| user["email"] = json!(email));
                json!({"directoryUser": user})
            }
            3 => json!({"certificateUser": {"userName": one}}),
            _ => with_origin("existing", "userName", &one, origin),
        }
    }
}

prop_compose! {
    fn roles(patterned: bool)(
        which in 0..8_u8,
        name in if patterned { patterns().boxed() } else { names().boxed() },
        place in if patterned { patterns().boxed() } else { names().boxed() },
        provider in proptest::option::of(if patterned { patterns().boxed() } else { names().boxed() }),
        of_organization in types("organization_", &["user", "auditor", "manager", "billing_manager"], patterned),
        of_space in types("space_", &["auditor", "developer", "manager", "supporter"], patterned),
    ) -> Value {
        match which {
            0 => json!({"roleCollection": {"name": name}}),
            1 if patterned => json!({"instanceRole": {"offering": place, "name": name}}),
            1 => json!({"instanceRole": {"name": name}}),
            2 => json!({"memberRole": {"name": name}}),
            3 => {
                let mut role = json!({"application": place, "name": name});
                provider.into_iter().for_each(|one| role["provider"] = json!(one));
                json!({"applicationRole": role})
            }
            4 => json!({"organizationRole": {"organization": place, "type": of_organization}}),
            5 => json!({"spaceRole": {"organization": place, "space": name, "type": of_space}}),
            6 => json!({"groupMembership": {"group": name}}),
            _ => json!({"authority": {"name": name}}),
        }
    }
}

prop_compose! {
    fn holders(patterned: bool)(
        which in 0..3_u8,
        name in if patterned { patterns().boxed() } else { names().boxed() },
        origin in origins(if patterned { patterns().boxed() } else { names().boxed() }),
    ) -> Value {
        match which {
            0 if patterned => json!({"technicalUser": {}}),
            1 => with_origin("group", "name", &name, origin),
            _ => with_origin("user", "name", &name, origin),
        }
    }
}

fn with_origin(kind: &str, field: &str, name: &str, origin: Option<String>) -> Value {
    let mut named = json!({field: name});
    origin.into_iter().for_each(|origin| named["origin"] = json!(origin));
    json!({kind: named})
}

prop_compose! {
    fn rules()(
        names in vec("[ab]", 0..2),
        labels in proptest::option::of(btree_map("[xy]", "[12]", 0..2)),
        identities in vec(identities(true), 0..3),
        grants in vec((vec(roles(true), 1..3), vec(holders(true), 1..3)), 0..3),
        orphan in any::<bool>(),
    ) -> Value {
        let grants: Vec<Value> = grants.into_iter().map(|(roles, to)| json!({"roles": roles, "to": to})).collect();
        let mut namespaces = json!({"names": names});
        labels.into_iter().for_each(|labels| namespaces["selector"] = json!({"matchLabels": labels}));
        json!({"namespaces": namespaces, "identities": identities, "grants": grants, "orphan": orphan})
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn law_11_permit_allows_what_the_rules_say_and_nothing_else(
        environment in environments(), rules in vec(rules(), 0..3), namespace in "[ab]",
        labels in btree_map("[xy]", "[12]", 0..3), identity in identities(false), role in roles(false), holder in holders(false),
    ) {
        let platform = json!({"environment": environment, "access": rules});
        let named = json!({"metadata": {"name": namespace, "labels": labels}});
        let stated = Rules::of(&platform, &named);
        let typed: Vec<AccessRule> = serde_json::from_value(json!(rules)).unwrap();
        let environment: Environment = serde_json::from_value(environment).unwrap();
        let namespace = Namespace { name: namespace, labels };
        let asked = |asks| permit(&typed, &Request { namespace: &namespace, environment: &environment, asks });

        let be: Identity = serde_json::from_value(identity.clone()).unwrap();
        prop_assert_eq!(asked(Asks::ToBe(&be)), stated.may_be(&identity));
        let grant: Role = serde_json::from_value(role.clone()).unwrap();
        let to_user = asked(Asks::ToGrant(&grant, To::TechnicalUser(&be)));
        prop_assert_eq!(to_user, stated.may_grant(&role, Whom::TechnicalUser(&identity)));
        let (is_group, principal) = holder.get("group").map_or((false, &holder["user"]), |group| (true, group));
        let kind = if is_group { HolderKind::Group } else { HolderKind::User };
        let typed_principal: Principal = serde_json::from_value(principal.clone()).unwrap();
        let typed_holder = environment::rules(&environment).holder(kind, &typed_principal);
        let to_holder = asked(Asks::ToGrant(&grant, To::Holder(&typed_holder)));
        let principal = stated.principal(is_group, principal);
        prop_assert_eq!(to_holder, stated.may_grant(&role, Whom::Principal(&principal)));
        prop_assert_eq!(asked(Asks::ToOrphan), stated.may_orphan());
    }

    #[test]
    fn law_7_withdrawal_comes_after_the_grace_and_never_before(
        since in 0..1_000_000_i64, grace in proptest::option::of(0..1_000_000_u64), passed in 0..2_000_000_i64,
    ) {
        let at = |second| Timestamp::from_second(second).unwrap();
        let verdict = withdrawal(at(since), grace.map(Duration::from_secs), at(since + passed));
        let over = grace.is_some_and(|grace| passed.unsigned_abs() >= grace);
        prop_assert_eq!(verdict == Withdrawal::Now, over, "{:?}", verdict);
    }
}
