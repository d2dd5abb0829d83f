//! A length of time as users write it: a whole number and one unit.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time: a whole number and `s`, `m`, `h` or `d`, for example `10m`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(transparent)]
pub struct Span(#[schemars(regex(pattern = r"^[0-9]{1,6}[smhd]$"))] String);

impl Span {
    /// A span as a user would write it. What does not follow the pattern has no [`Span::duration`].
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The length, or `None` where the text is not of the form that the CRD's pattern admits.
    pub fn duration(&self) -> Option<Duration> {
        let unit = self.0.chars().last()?;
        let count: u64 = self.0.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        Some(Duration::from_secs(count.checked_mul(seconds)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_anything_else_is_not() {
        for (text, seconds) in [("45s", 45), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("0s", 0)] {
            assert_eq!(Span::new(text).duration(), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "10", "1w", "-1s", "1.5h", "ten", "1 m"] {
            assert_eq!(Span::new(text).duration(), None, "{text}");
        }
    }
}
