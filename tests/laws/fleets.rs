//! Neither another version of the operator, nor a time without one, nor another default replaces a fleet: with a thousand
//! TechnicalUsers, as each of these leaves them.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::now;
use crate::kubernetes::{Address, Kind};
use crate::landscape::{Landscape, case};
use crate::manifests::{PLATFORM, TEAM, a_technical_user, own_role, role_binding};
use crate::subaccount::Shape;

/// How many there are.
const FLEET: usize = 1_000;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How the credential of the TechnicalUser of this number stands on record when an operator starts.
type Left = fn(usize, &mut Value);

fn user(number: usize) -> Address {
    Address::new(Kind::TechnicalUser, TEAM, &format!("user-{number}"))
}

/// TechnicalUsers that are Ready, as long as they have not been anything else.
async fn fleet() -> Landscape {
    let mut landscape = Landscape::new(Shape::ServiceManager, 1).await;
    let subjects: Vec<Value> = (0..FLEET).map(|number| json!({"technicalUser": {"name": user(number).name}})).collect();
    let roles = [own_role(Shape::ServiceManager, 0)];
    let spec = json!({"platformRef": {"name": PLATFORM}, "subjects": subjects, "roles": roles});
    landscape.apply(&role_binding(0), &json!({"metadata": {}, "spec": spec}));
    for number in 0..FLEET {
        let mut manifest = a_technical_user(Shape::ServiceManager);
        manifest["spec"]["credential"]["secretName"] = json!(format!("secret-{number}"));
        landscape.apply(&user(number), &manifest);
    }
    landscape.settle().await;
    landscape
}

/// Writes into every status what was left there.
fn leave(landscape: &Landscape, left: Left) {
    for number in 0..FLEET {
        let store = &mut landscape.outside().kubernetes;
        let mut object = store.get(&user(number)).unwrap().clone();
        left(number, &mut object["status"]["credential"]);
        store.replace_status(&user(number), &object).unwrap();
    }
}

/// An operator starts, and looks at everything again and again. In how much time each credential is due then.
async fn due_after(landscape: &mut Landscape, left: Left) -> Vec<Duration> {
    leave(landscape, left);
    let effects = |landscape: &Landscape| landscape.outside().subaccounts[0].effects;
    let (start, before) = (now(), effects(landscape));
    landscape.crash(0).await;
    landscape.round().await;
    assert_eq!(landscape.round().await, 0, "what is due when was recorded once");
    assert_eq!(effects(landscape), before, "nothing is issued and nothing is revoked");
    let store = &landscape.outside().kubernetes;
    let credential = |number| store.get(&user(number)).unwrap()["status"]["credential"].clone();
    let due = |number| credential(number)["rotateAt"].as_str().unwrap().parse::<Timestamp>().unwrap();
    (0..FLEET).map(|number| Duration::try_from(due(number).duration_since(start)).unwrap_or_default()).collect()
}

/// All are due within so much time, and at no moment many.
fn are_spread_over(due: &[Duration], time: Duration) {
    for tenth in 0..10 {
        let (from, to) = (time * tenth / 10, time * (tenth + 1) / 10);
        let share = due.iter().filter(|at| **at >= from && **at <= to + HOUR).count();
        assert!(share > 0 && share < FLEET / 5, "{share} of {FLEET} from {from:?} to {to:?}");
    }
    assert!(due.iter().all(|at| *at <= time + HOUR));
}

fn ago(by: Duration) -> Value {
    json!((now() - by).to_string())
}

/// As the operator wrote it that knew of no rotation.
fn by_an_older_version(number: usize, credential: &mut Value) {
    let fields = credential.as_object_mut().unwrap();
    for newer in ["publishedAt", "rotateAt", "rotateEvery", "demand"] {
        fields.remove(newer);
    }
    credential["issuedAt"] = ago(400 * DAY + u32::try_from(number).unwrap() * HOUR);
}

/// From a backup, or since no operator ran for weeks: the whole of its fleet would have been due meanwhile.
fn overdue(number: usize, credential: &mut Value) {
    credential["issuedAt"] = ago(120 * DAY);
    credential["rotateAt"] = ago(2 * HOUR + u32::try_from(number % 30).unwrap() * DAY);
}

/// By another default, which was longer.
fn by_another_default(_: usize, credential: &mut Value) {
    credential["issuedAt"] = ago(100 * DAY);
    credential["rotateEvery"] = json!("365d");
    credential["rotateAt"] = json!((now() + 250 * DAY).to_string());
}

#[test]
fn neither_an_upgrade_nor_a_restore_nor_another_default_replaces_a_fleet() {
    case(async {
        let mut landscape = fleet().await;
        for left in [by_an_older_version, by_another_default, overdue] {
            are_spread_over(&due_after(&mut landscape, left).await, 9 * DAY);
        }
        leave(&landscape, overdue);
        landscape.operators[0].catch_up(0);
        assert_eq!(landscape.operators[0].overdue(), FLEET);
        landscape.round().await;
        landscape.operators[0].catch_up(0);
        assert_eq!(landscape.operators[0].overdue(), 0);
    });
}
