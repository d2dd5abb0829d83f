//! The operator killed at every effect it has, each in turn: before the effect, and after it with the answer lost. What
//! starts in its place finishes the work, makes nothing twice and leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::harness::operator::{Operator, Settings};
use crate::harness::{Call, Moment, PATIENCE, Proxy, Stage, Team};
use crate::lines::{Act, Line, Player};

/// For how long nothing more may happen before an act is believed to be over.
const QUIET: Duration = Duration::from_millis(400);

/// Kills it at every effect of a line. Each line has a test that calls this.
pub(crate) fn crash_everywhere<L: Line>() {
    crash_everywhere_on::<L>(&Stage::alone());
}

/// The same on a stage on which the operator may do what the line needs.
pub(crate) fn crash_everywhere_on<L: Line>(stage: &Stage) {
    let mut theatre = Theatre::<L>::new(stage);
    let mut crashes: BTreeMap<Act, usize> = L::KILLED_IN.iter().map(|act| (*act, 0)).collect();
    for nth in 1.. {
        let going_on: BTreeSet<Act> = crashes.iter().filter(|(_, met)| **met == nth - 1).map(|(act, _)| *act).collect();
        if going_on.is_empty() {
            break;
        }
        for moment in [Moment::Before, Moment::After] {
            for act in L::ACTS.iter().copied() {
                if !going_on.contains(&act) {
                    theatre.undisturbed(act);
                } else if theatre.disturbed(act, nth, moment) {
                    crashes.insert(act, nth);
                }
            }
        }
    }
    println!("effects that {} was killed at: {crashes:?}", L::NAME);
    assert!(crashes.values().all(|effects| *effects > 1), "{crashes:?}");
}

/// One line, with the operator of the moment behind proxies that lose it.
struct Theatre<'a, L> {
    stage: &'a Stage,
    proxy: Proxy,
    player: Player<'a, L>,
    operator: Operator,
}

impl<'a, L: Line> Theatre<'a, L> {
    fn new(stage: &'a Stage) -> Self {
        let proxy = Proxy::before_api_server(stage.plane());
        let team = Team::new(stage, &format!("crash-{}", L::NAME));
        let url = proxy.beside(team.simulator.url()).url();
        let player = Player::new(team, url);
        let operator = start(stage, &proxy);
        Self { stage, proxy, player, operator }
    }

    /// An act through which the operator lives.
    fn undisturbed(&self, act: Act) {
        self.player.perform(act);
        self.finished(act, "undisturbed");
    }

    /// An act at whose `nth` effect the operator is killed, to be followed by another one. False if there was no such
    /// effect.
    fn disturbed(&mut self, act: Act, nth: usize, moment: Moment) -> bool {
        let killed = self.kill_at(nth, moment);
        self.player.perform(act);
        if !self.is_killed(&killed, act) {
            return false;
        }
        self.operator = start(self.stage, &self.proxy);
        self.finished(act, &format!("killed {moment:?} effect {nth}"));
        true
    }

    fn kill_at(&self, nth: usize, moment: Moment) -> Receiver<()> {
        let (sender, killed) = channel();
        let killer = self.operator.killer();
        self.proxy.forget();
        self.proxy.trap(nth, moment, Call::is_effect, move || {
            killer.kill();
            // A story that has failed waits no more.
            let _ = sender.send(());
        });
        killed
    }

    /// Waits until the operator is killed, or the act is over without that.
    fn is_killed(&self, killed: &Receiver<()>, act: Act) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if killed.recv_timeout(Duration::from_millis(100)).is_ok() {
                return true;
            }
            let left = self.player.left_to_do(act);
            if left.is_none() && killed.recv_timeout(QUIET).is_err() {
                // Sprung and not yet heard of counts too.
                return !self.proxy.disarm();
            }
            let left = left.unwrap_or_default();
            assert!(Instant::now() < deadline, "{} {act:?} without a crash: {left}\n{}", L::NAME, self.said());
        }
    }

    fn finished(&self, act: Act, how: &str) {
        self.player.over(act, how, || self.said());
    }

    /// What the operator said last and did last.
    fn said(&self) -> String {
        let log = self.operator.log();
        let effects = self.proxy.calls().into_iter().filter(Call::is_effect);
        let effects = effects.map(|call| format!("{} {}", call.method, call.path));
        log.lines().map(str::to_owned).chain(effects).collect::<Vec<_>>().join("\n")
    }
}

fn start(stage: &Stage, proxy: &Proxy) -> Operator {
    stage.start_operator_with(&Settings { through: Some(&proxy.url()), ..Stage::settings() })
}
