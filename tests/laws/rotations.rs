//! Laws 2, 3, 5, 6 and 10 while credentials are replaced: pods roll, crash or stick, the clock is set, the operator dies
//! anywhere, the platform fails, people edit.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use technical_user_operator::api::ROTATE_ANNOTATION;

use crate::cases;
use crate::claims::all;
use crate::clock;
use crate::history::{Happening, Scene, Wildness, of_identities};
use crate::identities::{broken, shapes};
use crate::judge::{field, value_of};
use crate::landscape::{Landscape, case};
use crate::leash::FREE;
use crate::manifests::{a_technical_user, of_the_user, role_binding, secret, technical_user};
use crate::pods::Pods;
use crate::silence::at_rest;
use crate::subaccount::Shape;
use crate::subaccount::weather::Weather;

/// What happens while credentials are replaced.
#[derive(Clone, Debug)]
enum Event {
    /// Something that happens to any TechnicalUser.
    Usual(Happening),
    /// A person asks for a new credential.
    Demand(u8),
    /// A person wants a certificate, good for a day, or a secret.
    Certificate(bool),
    /// A pod is started in place of the one of this number, or for the first time.
    Start(usize),
    /// It goes.
    Stop(usize),
    /// Everybody who reads the Secret from a volume has what is in it by now.
    Follow,
    /// So many minutes pass, with the operator at work.
    Minutes(u64),
    /// The clock of the operator's node is set so many days ahead, or back.
    Set(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let usual = of_identities(Wildness { lag: 0, pauses: false, operators: 1 });
    let event = prop_oneof![
        3 => usual.prop_map(|all| all.into_iter().next().map_or(Event::Follow, Event::Usual)),
        3 => (0..3_u8).prop_map(Event::Demand),
        1 => any::<bool>().prop_map(Event::Certificate),
        3 => (0..3_usize).prop_map(Event::Start),
        1 => (0..3_usize).prop_map(Event::Stop),
        2 => Just(Event::Follow),
        4 => (1..300_u64).prop_map(Event::Minutes),
        1 => prop_oneof![Just(-400_i64), Just(400), Just(0)].prop_map(Event::Set),
    ];
    vec(event, 0..16)
}

fn a_certificate() -> Value {
    json!({"type": "ClientCertificate", "certificate": {"validity": "1d"}})
}

/// How the credential of the TechnicalUser is replaced.
fn rotations() -> impl Strategy<Value = Value> {
    let every = prop_oneof![Just("1h"), Just("never"), Just("90d")];
    let least = prop_oneof![Just("0s"), Just("10m"), Just("1h")];
    let settling = prop_oneof![Just("0s"), Just("9m")];
    (every, least, settling).prop_map(|(every, least, settling)| {
        json!({"every": every, "overlap": "UntilRolledOut", "minOverlap": least, "maxOverlap": "1d",
            "settling": settling, "onOverlapExceeded": "Hold"})
    })
}

impl Event {
    async fn strike(&self, landscape: &mut Landscape, pods: &mut Pods) {
        match self {
            Self::Usual(happening) => happening.strike(Scene::Identity, landscape).await,
            Self::Demand(value) => {
                let annotation = json!({"metadata": {"annotations": {ROTATE_ANNOTATION: value.to_string()}}});
                drop(landscape.outside().kubernetes.merge(&technical_user(), &annotation, false));
            }
            // The API server refuses it of others.
            Self::Certificate(_) if landscape.shape != Shape::ServiceManager => {}
            Self::Certificate(wanted) => {
                let credential = if *wanted { a_certificate() } else { json!({"type": null, "certificate": null}) };
                let edit = json!({"spec": {"credential": credential}});
                drop(landscape.outside().kubernetes.merge(&technical_user(), &edit, false));
            }
            Self::Start(number) => pods.start(landscape, *number),
            Self::Stop(number) => pods.stop(landscape, *number),
            Self::Follow => pods.follow(landscape),
            Self::Minutes(minutes) => pass(landscape, pods, *minutes).await,
            Self::Set(days) => clock::set(*days),
        }
        pods.must_hold(landscape);
    }
}

/// Time passes, and kubelets bring volumes up to date within it. The operator looks now and then.
async fn pass(landscape: &mut Landscape, pods: &mut Pods, minutes: u64) {
    for _ in 0..minutes.div_ceil(30) {
        tokio::time::advance(Duration::from_mins(minutes.min(30))).await;
        pods.follow(landscape);
        pods.must_hold(landscape);
        landscape.go(0, &technical_user(), 0, FREE).await;
        pods.must_hold(landscape);
    }
}

async fn after(shape: Shape, rotation: &Value, events: &[Event]) -> (Landscape, Pods) {
    let mut landscape = Landscape::new(shape, 1).await;
    let mut user = a_technical_user(shape);
    user["spec"]["credential"]["rotation"] = rotation.clone();
    landscape.apply(&technical_user(), &user);
    landscape.apply(&role_binding(1), &of_the_user(shape, &[0].into()));
    landscape.round().await;
    let mut pods = Pods::default();
    for one in events {
        one.strike(&mut landscape, &mut pods).await;
    }
    (landscape, pods)
}

/// A day in which everybody starts anew and nothing disturbs.
async fn rolled_out(landscape: &mut Landscape, pods: &mut Pods) {
    clock::set(0);
    // A certificate would be renewed on that day.
    Event::Certificate(false).strike(landscape, pods).await;
    pods.rest(landscape);
    landscape.settle().await;
    for _ in 0..6 {
        pods.restart_all(landscape);
        pass(landscape, pods, 240).await;
    }
    landscape.settle().await;
}

/// What a TechnicalUser at rest comes to when a new credential is asked for and the order fares like this: whether it says
/// that it is Ready, and whether the Secret's credential works.
async fn asked(landscape: &mut Landscape, weather: Weather) -> (bool, bool) {
    Event::Demand(0).strike(landscape, &mut Pods::default()).await;
    landscape.outside().subaccounts[0].weather = weather;
    landscape.go(0, &technical_user(), 0, FREE).await;
    served(landscape)
}

/// When the certificate in the Secret ends.
fn expiry(landscape: &Landscape) -> Timestamp {
    let outside = landscape.outside();
    let pem = field(outside.kubernetes.get(&secret()).unwrap(), "tls.crt").unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let seconds = pem.parse_x509().unwrap().validity().not_after.timestamp();
    Timestamp::from_second(seconds).unwrap()
}

fn served(landscape: &Landscape) -> (bool, bool) {
    let outside = landscape.outside();
    let user = outside.kubernetes.get(&technical_user()).unwrap();
    let ready = all(&user["status"]["conditions"]).any(|one| one["type"] == "Ready" && one["status"] == "True");
    let value = outside.kubernetes.get(&secret()).and_then(value_of).unwrap_or_default();
    (ready, outside.subaccounts[0].accepts(&value))
}

#[test]
fn who_is_refused_a_new_credential_is_served_by_the_one_before_and_says_so() {
    for shape in Shape::ALL {
        let (refused, then) = case(async {
            let mut landscape = at_rest(shape).await;
            let refused = asked(&mut landscape, Weather::Refuses).await;
            landscape.outside().subaccounts[0].weather = Weather::Refuses;
            landscape.round().await;
            (refused, served(&landscape))
        });
        assert_eq!((refused, then), ((true, true), (true, true)), "{shape:?}");
    }
}

/// What the TechnicalUser says of the old credential, or nothing.
fn overlapping(landscape: &Landscape) -> Option<String> {
    let outside = landscape.outside();
    let user = outside.kubernetes.get(&technical_user()).unwrap();
    let said = all(&user["status"]["conditions"]).find(|one| one["type"] == "Overlapping")?;
    said["reason"].as_str().map(str::to_owned)
}

#[test]
fn who_keeps_an_old_credential_in_use_is_told_before_its_time_is_over() {
    let rotation = json!({"every": "never", "minOverlap": "0s", "maxOverlap": "1d", "settling": "0s"});
    let events = [Event::Start(0), Event::Demand(1)];
    let said = case(async {
        let (mut landscape, mut pods) = after(Shape::ServiceManager, &rotation, &events).await;
        let mut said = vec![];
        for hours in [20, 3, 2] {
            pass(&mut landscape, &mut pods, hours * 60).await;
            said.extend(overlapping(&landscape));
        }
        said
    });
    assert_eq!(said, ["StillUsed", "OverlapEnding", "OverlapExceeded"]);
}

#[test]
fn who_may_have_lost_its_only_credential_does_not_say_that_it_is_ready() {
    let (lost, then) = case(async {
        let mut landscape = at_rest(Shape::Directory).await;
        let lost = asked(&mut landscape, Weather::LosesAnswer).await;
        landscape.settle().await;
        (lost, served(&landscape))
    });
    assert_eq!((lost, then), ((false, false), (true, true)));
}

/// A person asks for a new credential, which stands in the Secret after one reconcile; the next looks who uses the one
/// before.
async fn replaced(landscape: &mut Landscape, pods: &mut Pods, value: u8) {
    Event::Demand(value).strike(landscape, pods).await;
    for _ in 0..2 {
        landscape.go(0, &technical_user(), 0, FREE).await;
        pods.must_hold(landscape);
    }
}

#[test]
fn a_pod_that_started_since_the_last_look_at_pods_is_seen() {
    let broken = case(async {
        let at_once = json!({"every": "never", "overlap": "UntilRolledOut", "minOverlap": "0s"});
        let (mut landscape, mut pods) = after(Shape::ServiceManager, &at_once, &[]).await;
        replaced(&mut landscape, &mut pods, 0).await;
        pods.start(&landscape, 0);
        replaced(&mut landscape, &mut pods, 1).await;
        pods.broken
    });
    assert_eq!(broken, Vec::<String>::new());
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn law_5_no_secret_holds_a_certificate_that_has_ended(
        rotation in rotations(), hours in 1..100_u64, events in events(),
    ) {
        let undisturbed = |event: &Event| matches!(event, Event::Start(_) | Event::Follow | Event::Minutes(_));
        let events: Vec<Event> = [Event::Certificate(true)].into_iter().chain(events.into_iter().filter(undisturbed)).collect();
        let (until, now) = case(async {
            let (mut landscape, mut pods) = after(Shape::ServiceManager, &rotation, &events).await;
            pass(&mut landscape, &mut pods, hours * 60).await;
            (expiry(&landscape), clock::true_now())
        });
        prop_assert!(until > now, "it ended at {until}, and now it is {now}");
    }

    #[test]
    fn law_5_nothing_is_revoked_that_a_pod_still_uses(
        shape in shapes(), rotation in rotations(), events in events(),
    ) {
        let broken = case(async {
            let (landscape, pods) = after(shape, &rotation, &events).await;
            let mut all = pods.broken.clone();
            pods.rest(&landscape);
            all.extend(broken(landscape).await);
            all
        });
        prop_assert_eq!(broken, Vec::<String>::new());
    }

    #[test]
    fn law_2_when_everybody_has_moved_one_credential_is_left(
        shape in shapes(), rotation in rotations(), events in events(),
    ) {
        let mut rotation = rotation;
        rotation["every"] = json!("never");
        let left = case(async {
            let (mut landscape, mut pods) = after(shape, &rotation, &events).await;
            rolled_out(&mut landscape, &mut pods).await;
            let outside = landscape.outside();
            let identities = &outside.subaccounts[0].now.identities;
            identities.iter().filter(|one| one.owner.is_some()).map(|one| one.credentials.len()).max()
        });
        prop_assert!(left.is_none_or(|left| left <= 1), "{left:?} credentials are left");
    }
}
