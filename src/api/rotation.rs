//! When a credential is replaced that works, and how long the one before stays in force.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// When a credential is replaced, and how long the one before stays in force.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct RotationSpec {
    /// How often: hours or days, such as `90d`, or `never`. It is done somewhat before, for each TechnicalUser at another
    /// time. By default every 90 days where the old credential can stay in force beside the new one, and `never` where the
    /// platform keeps a single one. The annotation `technicaluser.dev/rotate` asks for it at once, with every new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Interval>,
    /// What ends the old credential: that no pod uses it any more (`UntilRolledOut`, the default), or `minOverlap` alone
    /// (`Fixed`).
    pub overlap: Overlap,
    /// How long the old credential stays in force in any case.
    pub min_overlap: Span,
    /// After how long `onOverlapExceeded` says what happens to an old credential that is still used.
    pub max_overlap: Span,
    /// How long software may go on using what it has read from a volume, beyond the time that the kubelet takes to bring the
    /// volume up to date: nine minutes for `@sap/xsenv`, the most patient of SAP's readers.
    pub settling: Span,
    /// What happens to an old credential that is still used after `maxOverlap`: it is left until nobody uses it (`Hold`, the
    /// default), or ended all the same (`Revoke`).
    pub on_overlap_exceeded: OnOverlapExceeded,
}

impl Default for RotationSpec {
    fn default() -> Self {
        Self {
            every: None,
            overlap: Overlap::default(),
            min_overlap: Span::new("1h"),
            max_overlap: Span::new("7d"),
            settling: Span::new("9m"),
            on_overlap_exceeded: OnOverlapExceeded::default(),
        }
    }
}

/// How often: a whole number and `h` or `d`, or `never`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub struct Interval(#[schemars(regex(pattern = r"^(never|[1-9][0-9]{0,3}[hd])$"))] String);

impl Interval {
    /// An interval as a user would write it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its length; `None` for `never`, and for what does not follow the pattern.
    pub fn duration(&self) -> Option<Duration> {
        Span::new(self.0.as_str()).duration()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(&self.0)
    }
}

/// What ends a credential that was replaced.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// That no pod uses it any more.
    #[default]
    UntilRolledOut,
    /// Time alone.
    Fixed,
}

/// What happens to an old credential that is still used when it should have ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnOverlapExceeded {
    /// It stays until nobody uses it.
    #[default]
    Hold,
    /// It ends.
    Revoke,
}

/// What is done for workloads that read a credential only when they start.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Nothing: whoever runs them restarts them.
    #[default]
    Never,
    /// Deployments, StatefulSets and DaemonSets are restarted as `kubectl rollout restart` does, one at a time.
    RolloutRestart,
}

/// What happens when a value is lost that the platform shows only once.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// A new credential is issued.
    #[default]
    Reissue,
    /// Nothing happens until somebody asks for a new credential.
    Block,
}

/// A credential that stood in the Secret before, and is in force as long as software may use it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SupersededStatus {
    /// Its name on the platform.
    pub name: String,
    /// The platform's id for it, where that is not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The number of its issue.
    pub sequence: i64,
    /// For how many seconds another has stood in its place, as far as that is on record: counted while the operator runs, by
    /// a clock that does not jump.
    pub overlapped_seconds: i64,
    /// What it waits for before it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_no_length_of_time() {
        assert_eq!(Interval::new("never").duration(), None);
        assert_eq!(Interval::new("90d").duration(), Some(Duration::from_hours(90 * 24)));
    }

    #[test]
    fn what_is_not_said_is_as_the_documents_say() {
        let said: RotationSpec = serde_json::from_str(r#"{"every": "30d"}"#).unwrap();
        assert_eq!(said, RotationSpec { every: Some(Interval::new("30d")), ..RotationSpec::default() });
    }
}
