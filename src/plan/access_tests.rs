//! What rules allow and what they do not.

use serde_json::{Value, json};

use super::*;

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn btp() -> Environment {
    read(json!({"btp": {}}))
}

fn neo() -> Environment {
    read(json!({"neo": {"host": "hana.ondemand.com", "subaccount": "acme", "credentialsSecretRef": {"name": "neo"}}}))
}

fn orders() -> Namespace {
    Namespace { name: "orders".into(), labels: BTreeMap::new() }
}

/// A rule for namespace `orders`.
fn rule(more: Value) -> AccessRule {
    let mut whole = json!({"namespaces": {"names": ["orders"]}});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read(whole)
}

fn may_be(rule: &AccessRule, identity: Value, environment: &Environment) -> bool {
    let identity = read(identity);
    let request = Request { namespace: &orders(), environment, asks: Asks::ToBe(&identity) };
    permit(std::slice::from_ref(rule), &request)
}

fn may_grant(rules: &[AccessRule], role: Value, identity: Value, environment: &Environment) -> bool {
    let (role, identity) = (read(role), read(identity));
    let asks = Asks::ToGrant(&role, To::TechnicalUser(&identity));
    permit(rules, &Request { namespace: &orders(), environment, asks })
}

fn may_grant_to_user(rules: &[AccessRule], role: Value, user: Value, environment: &Environment) -> bool {
    let (role, user): (Role, Principal) = (read(role), read(user));
    let holder = super::rules(environment).holder(HolderKind::User, &user);
    let asks = Asks::ToGrant(&role, To::Holder(&holder));
    permit(rules, &Request { namespace: &orders(), environment, asks })
}

fn key(offering: &str, plan: &str) -> Value {
    json!({"serviceKey": {"offering": offering, "plan": plan}})
}

#[test]
fn no_rule_allows_nothing() {
    let (identity, namespace, environment) = (read(key("it-rt", "api")), orders(), btp());
    for asks in [Asks::ToBe(&identity), Asks::ToOrphan] {
        assert!(!permit(&[], &Request { namespace: &namespace, environment: &environment, asks }));
    }
}

#[test]
fn what_administers_must_be_spelled_out() {
    let wild = rule(json!({"identities": [key("*", "*")]}));
    assert!(may_be(&wild, key("it-rt", "integration-flow"), &btp()));
    assert!(!may_be(&wild, key("xsuaa", "apiaccess"), &btp()));
    let half = rule(json!({"identities": [key("service-manager", "*")]}));
    assert!(!may_be(&half, key("service-manager", "subaccount-admin"), &btp()));
    let named = rule(json!({"identities": [key("service-manager", "subaccount-admin")]}));
    assert!(may_be(&named, key("service-manager", "subaccount-admin"), &btp()));
    let to_all = |name: &str| {
        rule(json!({"grants": [{"roles": [{"roleCollection": {"name": name}}], "to": [{"user": {"name": "*"}}]}]}))
    };
    let administer = json!({"roleCollection": {"name": "Subaccount Administrator"}});
    assert!(!may_grant_to_user(&[to_all("*")], administer.clone(), json!({"name": "jane"}), &btp()));
    assert!(may_grant_to_user(&[to_all("Subaccount Administrator")], administer, json!({"name": "jane"}), &btp()));
}

#[test]
fn whoever_has_a_certificate_mapped_to_a_name_is_that_user() {
    let me = |name: &str| json!({"certificateUser": {"userName": name}});
    let role = json!({"applicationRole": {"application": "abciflmap", "name": "ESBMessaging.send"}});
    let grants = |to: Value| json!([{"roles": [{"applicationRole": {"application": "*", "name": "*"}}], "to": [to]}]);
    let identities = json!([{"certificateUser": {"userName": "tu-orders-*"}}]);
    let for_own = rule(json!({"identities": identities, "grants": grants(json!({"technicalUser": {}}))}));
    assert!(may_be(&for_own, me("TU-orders-1"), &neo()), "the platform knows no case");
    assert!(!may_be(&for_own, me("P0000001"), &neo()));
    assert!(
        !may_be(&for_own, json!({"existing": {"userName": "tu-orders-1"}}), &neo()),
        "nor is it one by another way"
    );
    assert!(!may_grant(std::slice::from_ref(&for_own), role.clone(), me("tu-orders-1"), &neo()), "it is a user");
    let to_user = rule(json!({"grants": grants(json!({"user": {"name": "tu-orders-*"}}))}));
    assert!(may_grant(&[for_own, to_user.clone()], role.clone(), me("tu-orders-1"), &neo()));
    assert!(!may_grant(&[to_user], role, me("tu-orders-1"), &neo()), "it may not be that user");
}

#[test]
fn a_grant_to_an_existing_user_is_a_grant_to_that_user() {
    let me = json!({"existing": {"userName": "me"}});
    let role = json!({"roleCollection": {"name": "PI_Read_Only"}});
    let grants = json!([{"roles": [{"roleCollection": {"name": "*"}}], "to": [{"technicalUser": {}}]}]);
    let for_own = rule(json!({"identities": [{"existing": {"userName": "*"}}], "grants": grants}));
    assert!(!may_grant(std::slice::from_ref(&for_own), role.clone(), me.clone(), &btp()), "a technicalUser is not me");
    let to_me =
        rule(json!({"grants": [{"roles": [{"roleCollection": {"name": "PI_*"}}], "to": [{"user": {"name": "me"}}]}]}));
    assert!(!may_grant(std::slice::from_ref(&to_me), role.clone(), me.clone(), &btp()), "it may not be me");
    assert!(may_grant(&[for_own, to_me], role, me, &btp()), "a rule for each");
}

#[test]
fn a_pattern_speaks_of_one_kind_at_the_places_it_names() {
    let identities = json!([key("*", "*")]);
    let grants =
        json!([{"roles": [{"instanceRole": {"offering": "it-rt", "name": "*"}}], "to": [{"technicalUser": {}}]}]);
    let rules = [rule(json!({"identities": identities, "grants": grants}))];
    let role = json!({"instanceRole": {"name": "ESBMessaging.send"}});
    assert!(may_grant(&rules, role.clone(), key("it-rt", "integration-flow"), &btp()));
    assert!(!may_grant(&rules, role, key("other", "plan"), &btp()));
    let roles = json!([{"applicationRole": {"application": "tmn", "provider": "avt", "name": "AuthGroup.*"}}]);
    let rules = [rule(json!({"grants": [{"roles": roles, "to": [{"user": {"name": "*"}}]}]}))];
    let application = |application: &str, provider: Option<&str>| {
        let role =
            json!({"applicationRole": {"application": application, "provider": provider, "name": "AuthGroup.X"}});
        may_grant_to_user(&rules, role, json!({"name": "P1"}), &neo())
    };
    assert!(application("tmn", Some("avt")));
    assert!(!application("other", Some("avt")) && !application("tmn", Some("x")) && !application("tmn", None));
    assert!(!may_grant_to_user(&rules, json!({"memberRole": {"name": "AuthGroup.X"}}), json!({"name": "P1"}), &neo()));
}

#[test]
fn origins_are_the_default_one_unless_named() {
    let collection = json!({"roleCollection": {"name": "r"}});
    let to = |origin: Option<&str>| {
        [rule(
            json!({"grants": [{"roles": [collection], "to": [{"user": {"name": "*@acme.example", "origin": origin}}]}]}),
        )]
    };
    let may = |rules: &[AccessRule], origin: Option<&str>| {
        may_grant_to_user(rules, collection.clone(), json!({"name": "Jane@ACME.example", "origin": origin}), &btp())
    };
    assert!(may(&to(None), None) && may(&to(None), Some("ldap")) && !may(&to(None), Some("sap.custom")));
    assert!(may(&to(Some("sap.custom")), Some("sap.custom")) && may(&to(Some("*")), Some("sap.custom")));
    let application = json!({"applicationRole": {"application": "a", "name": "r"}});
    let rules =
        [rule(json!({"grants": [{"roles": [application], "to": [{"user": {"name": "*", "origin": "acme"}}]}]}))];
    let user = json!({"name": "P1", "origin": "acme"});
    assert!(!may_grant_to_user(&rules, application, user, &neo()), "Neo would grant it to P1 in every user base");
}

#[test]
fn a_selector_needs_every_label_and_an_empty_one_chooses_nobody() {
    let by_label = |labels: Value| -> AccessRule {
        read(json!({"namespaces": {"selector": {"matchLabels": labels}}, "orphan": true}))
    };
    let may = |rule: &AccessRule, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let namespace = Namespace { name: "n".into(), labels };
        let request = Request { namespace: &namespace, environment: &btp(), asks: Asks::ToOrphan };
        permit(std::slice::from_ref(rule), &request)
    };
    let team = by_label(json!({"team": "a", "tier": "prod"}));
    assert!(may(&team, &[("team", "a"), ("tier", "prod"), ("more", "x")]));
    assert!(!may(&team, &[("team", "a")]));
    assert!(!may(&by_label(json!({})), &[("team", "a")]));
}

#[test]
fn withdrawal_waits_for_the_grace() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let grace = Some(Duration::from_mins(10));
    assert_eq!(withdrawal(at(0), grace, at(599)), Withdrawal::Due(at(600)));
    assert_eq!(withdrawal(at(0), grace, at(600)), Withdrawal::Now);
    assert_eq!(withdrawal(at(0), None, at(600)), Withdrawal::Due(Timestamp::MAX));
}

fn cloud_foundry() -> Environment {
    read(json!({"cloudFoundry": {"apiUrl": "https://api.cf.example", "credentialsSecretRef": {"name": "cf"}}}))
}

#[test]
fn a_key_may_be_limited_to_spaces() {
    let space = |organization: &str, name: &str| json!({"organization": organization, "name": name});
    let within = |space: Value| json!({"serviceKey": {"offering": "it-rt", "plan": "api", "space": space}});
    let limited = rule(json!({"identities": [within(space("acme", "dev-*"))]}));
    assert!(may_be(&limited, within(space("acme", "dev-1")), &cloud_foundry()));
    assert!(!may_be(&limited, within(space("acme", "prod")), &cloud_foundry()));
    assert!(!may_be(&limited, within(space("other", "dev-1")), &cloud_foundry()));
    assert!(!may_be(&limited, key("it-rt", "api"), &cloud_foundry()), "a key that is in no space");
    let anywhere = rule(json!({"identities": [key("it-rt", "*")]}));
    assert!(may_be(&anywhere, within(space("acme", "prod")), &cloud_foundry()));
}

#[test]
fn roles_of_organizations_and_spaces_are_allowed_by_place_and_type() {
    let may = |pattern: Value, role: Value| {
        let rules = [rule(json!({"grants": [{"roles": [pattern], "to": [{"user": {"name": "*"}}]}]}))];
        may_grant_to_user(&rules, role, json!({"name": "jane"}), &cloud_foundry())
    };
    let organization = |name: &str, kind: &str| json!({"organizationRole": {"organization": name, "type": kind}});
    assert!(may(organization("acme", "*"), organization("acme", "organization_auditor")));
    assert!(!may(organization("acme", "*"), organization("other", "organization_auditor")));
    assert!(!may(organization("*", "organization_*"), organization("acme", "organization_manager")));
    assert!(may(organization("*", "organization_manager"), organization("acme", "organization_manager")));
    let space = |name: &str, kind: &str| json!({"spaceRole": {"organization": "acme", "space": name, "type": kind}});
    assert!(may(space("dev-*", "*"), space("dev-1", "space_auditor")));
    assert!(!may(space("dev-*", "*"), space("prod", "space_auditor")));
    assert!(
        !may(space("*", "*"), space("dev-1", "space_developer")) && !may(space("*", "*"), space("x", "space_manager"))
    );
    assert!(may(space("*", "space_developer"), space("dev-1", "space_developer")));
    assert!(!may(organization("*", "*"), space("dev-1", "space_auditor")), "each pattern speaks of one kind");
}

#[test]
fn a_namespace_chooses_no_address_that_no_rule_speaks_of() {
    let may = |pattern: Value, user: Value| {
        let rules = rule(json!({"identities": [{"directoryUser": pattern}]}));
        may_be(&rules, json!({"directoryUser": user}), &btp())
    };
    let boss = json!({"userName": "tu-1", "email": "boss@acme.example"});
    assert!(may(json!({"userName": "tu-*"}), json!({"userName": "TU-1"})));
    assert!(!may(json!({"userName": "*"}), boss.clone()), "it would be whoever has that address");
    assert!(!may(json!({"userName": "*", "email": "tu-*@acme.example"}), boss));
    let own = json!({"userName": "tu-1", "email": "TU-1@acme.example"});
    assert!(may(json!({"userName": "tu-*", "email": "tu-*@acme.example"}), own));
}
