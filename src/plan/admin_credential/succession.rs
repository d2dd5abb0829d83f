//! Whether what a Platform's admin Secrets hold now takes the place of what they held before, which is still in use.

use std::collections::BTreeSet;

use super::rights::Missing;

/// What came of trying what the Secrets hold now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// Whether it leads to the place that the Platform is, or to one that somebody has accepted.
    pub leads_here: bool,
    /// The APIs that it did not log on to.
    pub failing: BTreeSet<&'static str>,
    /// The rights that it lacks.
    pub lacks: BTreeSet<Missing>,
}

/// How what is in use stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its platform has refused it, for good, at every API.
    Lost,
    /// It works, or only time is needed; but for these APIs, which have refused it for good. It lacks these rights.
    Holds {
        /// The APIs that have refused it.
        refused_by: BTreeSet<&'static str>,
        /// The rights that it lacks.
        lacks: BTreeSet<Missing>,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// What the Secrets hold now is used.
    TakesOver,
    /// What was used before stays in use.
    OldStays,
    /// Neither can be used.
    Neither,
}

/// Nothing that works stops: what comes must lead to the same place, and be as good at every API as what it follows.
/// `None` where what the Secrets hold now could not even be tried, or logs on nowhere.
pub fn succession(now: Option<&Trial>, before: &Standing) -> Succession {
    match (now, before) {
        (Some(now), Standing::Lost) if now.leads_here => Succession::TakesOver,
        (_, Standing::Lost) => Succession::Neither,
        (Some(now), Standing::Holds { refused_by, lacks }) if now.is_as_good(refused_by, lacks) => {
            Succession::TakesOver
        }
        (_, Standing::Holds { .. }) => Succession::OldStays,
    }
}

impl Trial {
    fn is_as_good(&self, refused_by: &BTreeSet<&'static str>, lacks: &BTreeSet<Missing>) -> bool {
        self.leads_here && self.failing.is_subset(refused_by) && self.lacks.is_subset(lacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(leads_here: bool, failing: &[&'static str]) -> Trial {
        Trial { leads_here, failing: failing.iter().copied().collect(), lacks: BTreeSet::new() }
    }

    fn holds(refused_by: &[&'static str]) -> Standing {
        Standing::Holds { refused_by: refused_by.iter().copied().collect(), lacks: BTreeSet::new() }
    }

    #[test]
    fn what_works_as_well_takes_over() {
        assert_eq!(succession(Some(&trial(true, &[])), &holds(&[])), Succession::TakesOver);
        assert_eq!(succession(Some(&trial(true, &["xsuaa"])), &holds(&["xsuaa"])), Succession::TakesOver);
    }

    #[test]
    fn nothing_that_works_stops() {
        let stays = |now: Option<&Trial>, before: &Standing| assert_eq!(succession(now, before), Succession::OldStays);
        stays(None, &holds(&[]));
        stays(Some(&trial(false, &[])), &holds(&[]));
        stays(Some(&trial(true, &["xsuaa"])), &holds(&[]));
        stays(Some(&trial(true, &["xsuaa"])), &holds(&["service-manager"]));
    }

    #[test]
    fn where_nothing_works_any_more_the_new_one_needs_only_lead_to_the_place() {
        assert_eq!(succession(Some(&trial(true, &["xsuaa"])), &Standing::Lost), Succession::TakesOver);
        assert_eq!(succession(Some(&trial(false, &[])), &Standing::Lost), Succession::Neither);
        assert_eq!(succession(None, &Standing::Lost), Succession::Neither);
    }
}
