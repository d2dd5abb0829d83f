//! What goes wrong on a platform: with the next order, and with every list.

use technical_user_operator::platform::{Error, Health, Kind, Result};

use super::{Picture, Subaccount};

/// How the next order fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// As it should.
    #[default]
    Fair,
    /// The platform works on after it has answered.
    Slow,
    /// What it makes turns out broken.
    Broken,
    /// The order is refused.
    Refuses,
    /// The platform is away.
    Away,
    /// The order is lost, and nobody knows.
    LosesOrder,
    /// The order arrives, its answer is lost.
    LosesAnswer,
}

impl Weather {
    /// What becomes of something that is made in it.
    pub const fn health(self) -> Health {
        match self {
            Self::Slow => Health::InProgress,
            Self::Broken => Health::Failed,
            _ => Health::Usable,
        }
    }

    /// The answer to an order, given what happens if it arrives.
    pub fn answer<T>(self, happens: impl FnOnce() -> Result<T>) -> Result<T> {
        let error = |kind| Err(Error::new(kind, "order"));
        match self {
            Self::Fair | Self::Slow | Self::Broken => happens(),
            Self::Refuses => error(Kind::Invalid),
            Self::Away => error(Kind::Unavailable),
            Self::LosesOrder => error(Kind::OutcomeUnknown),
            Self::LosesAnswer => happens().and_then(|_| error(Kind::OutcomeUnknown)),
        }
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

impl Subaccount {
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
