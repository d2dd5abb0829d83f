//! What goes wrong on a platform: with the next order, and with every list.

use technical_user_operator::platform::{Error, Kind, Ordered, Result};

use super::operations::Change;
use super::{Picture, Shape, Subaccount};

/// How the next order fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// As it should.
    #[default]
    Fair,
    /// The platform works on after it has answered.
    Slow,
    /// The order is refused.
    Refuses,
    /// The platform is away.
    Away,
    /// The order is lost, and nobody knows.
    LosesOrder,
    /// The order arrives, its answer is lost.
    LosesAnswer,
    /// The answer is lost, and the order comes about only later, where names are not guarded.
    Delays,
}

impl Weather {
    /// The error that the caller gets, if any.
    pub fn error(self) -> Option<Error> {
        let kind = match self {
            Self::Fair | Self::Slow => return None,
            Self::Refuses => Kind::Invalid,
            Self::Away => Kind::Unavailable,
            Self::LosesOrder | Self::LosesAnswer | Self::Delays => Kind::OutcomeUnknown,
        };
        Some(Error::new(kind, "order"))
    }

    /// Whether the order arrives at once, where it is not begun or delayed.
    pub const fn arrives(self) -> bool {
        matches!(self, Self::Fair | Self::Slow | Self::LosesAnswer | Self::Delays)
    }
}

impl Subaccount {
    /// Carries out an order as the weather is.
    pub fn carry_out<T>(&mut self, weather: Weather, change: Change, done: T) -> Result<Ordered<T>> {
        let answer = match weather {
            Weather::Slow if self.shape == Shape::ServiceManager => Ordered::Begun(self.begin(change)),
            Weather::Delays if self.shape == Shape::ServiceManager => {
                self.delay(change);
                Ordered::Done(done)
            }
            _ => {
                if weather.arrives() {
                    self.happen(change);
                }
                Ordered::Done(done)
            }
        };
        weather.error().map_or(Ok(answer), Err)
    }

    /// What a list shows.
    pub fn listed(&self) -> Picture {
        let mut picture = self.now.clone();
        match self.listing {
            Listing::True => {}
            Listing::Old(age) => picture.clone_from(&self.past[self.past.len().saturating_sub(age + 1)]),
            Listing::Incomplete(step) => {
                let mut kept = (0..).map(|at| at % step != step - 1);
                picture.identities.retain(|_| kept.next().unwrap_or(true));
                picture.grants.retain(|_| kept.next().unwrap_or(true));
            }
            Listing::Doubled => picture.identities.extend(self.now.identities.clone()),
        }
        picture
    }
}

/// How lists lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// They do not.
    #[default]
    True,
    /// They show what was so many changes ago.
    Old(usize),
    /// They miss every so manieth item.
    Incomplete(usize),
    /// They show everything twice.
    Doubled,
}
