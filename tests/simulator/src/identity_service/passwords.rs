//! A user's one password: the policy it must fulfil, and whether it lets somebody in (Cloud Identity Services,
//! "Configure Password Policies").

use std::time::Duration;

use serde_json::{Value, json};

use crate::directory::fault::Fault;
use crate::frame::{IdentityPasswordPolicy, clock};

const DAY: Duration = Duration::from_hours(24);
const HALF_A_YEAR: Duration = Duration::from_hours(24 * 182);
const LOCK: Duration = Duration::from_hours(1);
const ATTEMPTS: u32 = 5;
const REMEMBERED: usize = 5;

/// What is known of a user's password. Has no `Debug`: it holds secrets.
#[derive(Clone, Default)]
pub(super) struct Password {
    /// The password, if there is one.
    pub(super) value: Option<String>,
    /// `enabled`, `initial`, `disabled`.
    pub(super) status: String,
    earlier: Vec<String>,
    set: Duration,
    used: Duration,
    failures: u32,
    locked_since: Option<Duration>,
}

impl Password {
    /// Sets a password. Without a status of its own it is one that must be changed at the first logon.
    pub(super) fn set(
        &mut self,
        value: &str,
        status: Option<&str>,
        policy: IdentityPasswordPolicy,
        now: Duration,
    ) -> Result<(), Fault> {
        let refuse = |text: &str| Err(Fault::bad("invalidValue", text));
        if !is_strong(value) {
            return refuse("The password does not meet the password policy requirements.");
        }
        if policy == IdentityPasswordPolicy::Enterprise {
            let known = self.value.iter().chain(&self.earlier).any(|earlier| earlier == value);
            if known {
                return refuse("The password was used before.");
            }
            if self.value.is_some() && now < self.set + DAY {
                return refuse("The password was changed less than 24 hours ago.");
            }
        }
        if let Some(old) = self.value.replace(value.to_owned()) {
            self.earlier.insert(0, old);
            self.earlier.truncate(REMEMBERED - 1);
        }
        (self.set, self.used) = (now, now);
        (self.failures, self.locked_since) = (0, None);
        status.unwrap_or("initial").clone_into(&mut self.status);
        Ok(())
    }

    /// Whether this password lets the user in now. Every wrong one counts; the fifth locks for an hour.
    pub(super) fn accepts(&mut self, value: &str, policy: IdentityPasswordPolicy, now: Duration) -> bool {
        if self.locked_since.is_some_and(|since| now < since + LOCK) {
            return false;
        }
        if self.locked_since.take().is_some() {
            self.failures = 0;
        }
        if self.value.as_deref() != Some(value) {
            self.failures += 1;
            self.locked_since = (self.failures >= ATTEMPTS).then_some(now);
            return false;
        }
        let stale = now >= self.set + HALF_A_YEAR || now >= self.used + HALF_A_YEAR;
        let usable = self.status == "enabled" && !(policy == IdentityPasswordPolicy::Enterprise && stale);
        if usable {
            (self.failures, self.used) = (0, now);
        }
        usable
    }

    /// `passwordDetails`, without the password.
    pub(super) fn details(&self, policy: IdentityPasswordPolicy) -> Value {
        let stamp = |moment| clock::format(moment, "%Y-%m-%dT%H:%M:%SZ");
        if self.value.is_none() {
            return json!({"failedLoginAttempts": 0, "status": "disabled"});
        }
        let policy = match policy {
            IdentityPasswordPolicy::Standard => "https://accounts.sap.com/policy/passwords/sap/web/1.1",
            IdentityPasswordPolicy::Enterprise => "https://accounts.sap.com/policy/passwords/sap/enterprise/1.0",
        };
        let mut details = json!({"status": self.status, "failedLoginAttempts": self.failures,
                                 "setTime": stamp(self.set), "policy": policy});
        if let Some(since) = self.locked_since {
            details["passwordLockedTime"] = json!(stamp(since));
        }
        details
    }
}

/// 8 to 255 characters of at least three of four classes.
fn is_strong(value: &str) -> bool {
    let classes: [fn(&char) -> bool; 4] = [
        |sign| sign.is_lowercase(),
        |sign| sign.is_uppercase(),
        |sign| sign.is_numeric(),
        |sign| !sign.is_alphanumeric(),
    ];
    let met = classes.iter().filter(|class| value.chars().any(|sign| class(&sign))).count();
    (8..=255).contains(&value.chars().count()) && met >= 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use IdentityPasswordPolicy::{Enterprise, Standard};

    const START: Duration = Duration::from_secs(1_000_000);

    fn with(value: &str, status: Option<&str>) -> Password {
        let mut password = Password::default();
        password.set(value, status, Standard, START).unwrap();
        password
    }

    #[test]
    fn three_of_four_classes_and_eight_characters() {
        for (value, strong) in [("Abcdefg1", true), ("abcdef1-", true), ("Abcdef1", false), ("abcdefgh1", false)] {
            assert_eq!(is_strong(value), strong, "{value}");
        }
        assert!(!is_strong(&format!("Aa1{}", "x".repeat(253))));
    }

    #[test]
    fn only_an_enabled_password_lets_in() {
        assert!(with("Abcdefg1", Some("enabled")).accepts("Abcdefg1", Standard, START));
        assert!(!with("Abcdefg1", None).accepts("Abcdefg1", Standard, START));
        assert!(!with("Abcdefg1", Some("disabled")).accepts("Abcdefg1", Standard, START));
    }

    #[test]
    fn the_fifth_failure_locks_for_an_hour() {
        let mut password = with("Abcdefg1", Some("enabled"));
        for _ in 0..4 {
            assert!(!password.accepts("wrong", Standard, START));
        }
        assert!(password.clone().accepts("Abcdefg1", Standard, START));
        assert!(!password.accepts("wrong", Standard, START));
        assert!(!password.accepts("Abcdefg1", Standard, START + LOCK / 2));
        assert!(password.accepts("Abcdefg1", Standard, START + LOCK));
    }

    #[test]
    fn the_enterprise_policy_has_a_least_age_and_remembers_five() {
        let mut password = with("Abcdefg0", Some("enabled"));
        assert!(password.set("Abcdefg1", None, Enterprise, START + DAY / 2).is_err());
        for day in 1..=5 {
            password.set(&format!("Abcdefg{day}"), None, Enterprise, START + DAY * day).unwrap();
        }
        let later = START + DAY * 6;
        assert!(password.set("Abcdefg1", None, Enterprise, later).is_err(), "one of the last five");
        assert!(password.set("Abcdefg5", None, Enterprise, later).is_err(), "the present one");
        password.set("Abcdefg0", Some("enabled"), Enterprise, later).unwrap();
        password.set("Abcdefg0", Some("enabled"), Standard, later).unwrap();
        assert!(!password.accepts("Abcdefg0", Enterprise, later + HALF_A_YEAR));
        assert!(password.accepts("Abcdefg0", Standard, later + HALF_A_YEAR));
    }
}
