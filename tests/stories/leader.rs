//! Two operators and one Lease: one works, the other waits, and work goes on when the one that leads ends, dies or
//! falls asleep.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::api::path;
use crate::harness::operator::{Operator, Settings};
use crate::harness::stage::{OPERATOR_NAMESPACE, RELEASE};
use crate::harness::{PATIENCE, Proxy, Stage, Team, eventually, never};

/// Well below the 15 seconds after which a lease expires: who takes over within it was let.
const RELEASED: Duration = Duration::from_secs(8);
/// A lease expires 15 seconds after its last renewal, which is looked at every two.
const EXPIRED: Duration = Duration::from_secs(20);
/// No lease can have expired yet, whenever within its two seconds it was renewed last.
const TOO_SOON: Duration = Duration::from_secs(10);

/// A replica, with a proxy that counts what it does to the cluster.
struct Replica {
    name: &'static str,
    operator: Operator,
    proxy: Proxy,
}

impl Replica {
    /// Starts one; it may not be ready yet.
    fn start(stage: &Stage, name: &'static str) -> Self {
        let proxy = Proxy::before_api_server(stage.plane());
        let (url, arguments) = (proxy.url(), ["--name", name]);
        let settings = Settings { through: Some(&url), leader_elect: true, arguments: &arguments, ..Stage::settings() };
        Self { name, operator: stage.start_operator_with(&settings), proxy }
    }

    /// Starts one and waits until it leads.
    fn leading(stage: &Stage, name: &'static str) -> Self {
        let replica = Self::start(stage, name);
        replica.leads(stage, PATIENCE);
        replica
    }

    /// Starts one and waits until it has looked at the Lease, which somebody else has.
    fn waiting(stage: &Stage, name: &'static str) -> Self {
        let replica = Self::start(stage, name);
        let looked = || replica.proxy.calls().iter().any(|call| call.path.contains("/leases/")).then_some(());
        eventually(&format!("{name} looks at the Lease"), PATIENCE, looked);
        replica
    }

    /// Waits until it has the Lease.
    fn leads(&self, stage: &Stage, limit: Duration) {
        let what = format!("{} leads", self.name);
        eventually(&what, limit, || (holder(stage).as_deref() == Some(self.name)).then_some(()));
    }

    /// Sends it a signal that the harness has no name for.
    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.operator.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "{signal} to {}", self.name);
    }
}

/// Who has the Lease, as it says itself.
fn holder(stage: &Stage) -> Option<String> {
    let lease = stage.api().get(&path("leases", OPERATOR_NAMESPACE, RELEASE))?;
    lease["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

/// A new technical user with a role of its own becomes Ready: whoever leads works.
fn work_is_done(team: &Team<'_>, name: &str) {
    team.apply(&team.service_key(name));
    let role = json!({ "instanceRole": { "name": "ESBMessaging.send" } });
    team.apply(&team.role_binding(name, &json!({ "technicalUser": { "name": name } }), &[role]));
    team.ready(&[&format!("technicalusers/{name}"), &format!("rolebindings/{name}")]);
}

#[test]
fn one_works_while_the_other_waits_and_follows_as_soon_as_the_leader_is_asked_to_end() {
    let stage = Stage::own();
    let team = Team::on_btp(&stage, "followers");
    let first = Replica::leading(&stage, "first");
    let second = Replica::waiting(&stage, "second");

    work_is_done(&team, "before");
    assert_eq!((holder(&stage).as_deref(), second.proxy.effects()), (Some("first"), 0), "only the leader works");
    let asked = Instant::now();
    let (status, log) = first.operator.stop();
    assert!(status.success(), "{log}");
    second.leads(&stage, RELEASED.saturating_sub(asked.elapsed()));

    let by_the_first = first.proxy.effects();
    work_is_done(&team, "after");
    assert!(second.proxy.effects() > 0);
    assert_eq!(first.proxy.effects(), by_the_first);
}

#[test]
fn a_replica_that_waits_ends_when_it_is_asked_to() {
    let stage = Stage::own();
    let leader = Replica::leading(&stage, "leader");
    let waiting = Replica::waiting(&stage, "waiting");

    let (status, log) = waiting.operator.stop();

    assert!(status.success(), "{log}");
    assert_eq!(holder(&stage).as_deref(), Some(leader.name), "the Lease is not its to give up");
}

#[test]
fn a_leader_that_dies_or_sleeps_is_followed_when_its_lease_has_expired() {
    let stage = Stage::own();
    let team = Team::on_btp(&stage, "orphans");
    let first = Replica::leading(&stage, "first");
    let second = Replica::waiting(&stage, "second");
    work_is_done(&team, "at-first");

    let killed = Instant::now();
    first.operator.kill();
    let other = || holder(&stage).filter(|holder| holder != first.name);
    never("somebody takes a lease that has not expired", TOO_SOON, other);
    second.leads(&stage, EXPIRED.saturating_sub(killed.elapsed()));
    work_is_done(&team, "then");

    let third = Replica::waiting(&stage, "third");
    second.signal("-STOP");
    third.leads(&stage, EXPIRED);
    work_is_done(&team, "at-last");
    the_sleeper_ends_without_a_trace(&second);
}

/// It wakes into a world that has gone on: it must see that before it does anything.
fn the_sleeper_ends_without_a_trace(sleeper: &Replica) {
    let before = sleeper.proxy.effects();
    sleeper.signal("-CONT");
    assert!(!sleeper.operator.ended(PATIENCE).success(), "an end nobody asked for is a failure");
    assert!(sleeper.operator.log().contains("the lease was lost"), "{}", sleeper.operator.log());
    assert_eq!(sleeper.proxy.effects(), before);
}
