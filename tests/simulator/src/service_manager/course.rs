//! How an order goes on at its broker: when it answers, what it answers, whether and how it ends.

use std::time::Duration;

use crate::clients::Opened;
use crate::frame::Settings;

use super::answering::Wish;
use super::broker::{BrokerRefusal, Key, Parameters};
use super::catalogue::Plan;
use super::labels::Labels;
use super::objects::{Binding, Instance};
use super::refusal::Refusal;

/// What an operation does. Rows are written when the broker has answered.
pub(crate) enum Effect {
    /// The instance stands.
    Provision {
        /// What is written down, until it is.
        row: Option<Box<Instance>>,
        /// What its parameters open.
        opened: Opened,
    },
    /// The instance changes.
    Update {
        /// Into this.
        change: Box<InstanceChange>,
        /// What its parameters then open.
        opened: Opened,
    },
    /// The binding stands.
    Bind {
        /// What is written down, until it is.
        row: Option<Box<Binding>>,
        /// What it hands out; none where the broker has refused.
        key: Option<Key>,
    },
    /// The instance goes, unless it has bindings.
    Deprovision,
    /// The binding goes.
    Unbind,
}

/// What becomes of an instance that is updated.
pub(crate) struct InstanceChange {
    /// Its name.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: Labels,
    /// Its parameters.
    pub(crate) parameters: Parameters,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The broker has been asked.
    Asked,
    /// The broker has answered 202.
    Accepted,
}

/// The course of one order.
pub(crate) struct Course {
    /// How far it is.
    pub(crate) stage: Stage,
    /// When it comes to its next stage or its end.
    pub(crate) next: Duration,
    /// What the broker says when it answers.
    pub(crate) answer: Result<(), Refusal>,
    /// How long an asynchronous broker takes after that.
    pub(crate) takes: Option<Duration>,
    /// How it ends, if it has been taken up.
    pub(crate) outcome: Result<(), Refusal>,
    /// What comes of it.
    pub(crate) effect: Effect,
    /// What the client says about waiting.
    pub(crate) wish: Wish,
    /// The client was to be told the end and has gone.
    pub(crate) hung_up: bool,
}

/// What is asked of a plan's broker.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The settings in force.
    pub(crate) settings: &'a Settings,
    /// The plan.
    pub(crate) plan: &'static Plan,
    /// How errors name it.
    pub(crate) action: &'static str,
    /// What the client says about waiting.
    pub(crate) wish: Wish,
}

impl Question<'_> {
    /// Whether the settings make this broker fail.
    pub(crate) fn is_broken(&self) -> bool {
        self.settings.failing_plans.contains(self.plan.name)
    }

    /// The broker's error as the Service Manager tells it.
    pub(crate) fn refusal(&self, refusal: &BrokerRefusal) -> Refusal {
        Refusal::broker(self.settings, self.action, refusal.status, &refusal.text)
    }

    /// The course of an order that the broker is asked for `now`. A broker that is out of order says so at once if it
    /// is synchronous, else in the end.
    pub(crate) fn course(&self, now: Duration, word: Result<(), BrokerRefusal>, effect: Effect) -> Course {
        let asynchronous = self.settings.async_plans.contains(self.plan.name);
        let broken = BrokerRefusal { status: 500, text: "the broker is out of order".to_owned() };
        let broken = if self.is_broken() { Err(self.refusal(&broken)) } else { Ok(()) };
        let word = word.map_err(|refusal| self.refusal(&refusal));
        let (answer, outcome) = if asynchronous { (word, broken) } else { (word.and(broken), Ok(())) };
        Course {
            stage: Stage::Asked,
            next: now + Duration::from_millis(self.settings.broker_millis),
            answer,
            takes: asynchronous.then(|| Duration::from_millis(self.settings.operation_millis)),
            outcome,
            effect,
            wish: self.wish,
            hung_up: false,
        }
    }
}
