//! Passwords that the operator makes for users of directories: nobody can guess them, every policy takes them, and they
//! need no encoding wherever they are put; and what a directory's Secret says of one. How it is set is the drivers' business.

use rand::seq::IndexedRandom;
use secrecy::SecretString;

use super::{Field, Health, Issued, ObservedCredential, ObservedIdentity, Provenance};

/// Characters of a password: some 190 bits. Cloud Identity Services take 8 to 255.
const LENGTH: usize = 32;
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
/// With letters and digits, the characters that no URL encodes (RFC 3986 §2.3). No shell, header or JSON text does.
const SPECIAL: &str = "-._~";
/// The classes of characters that policies ask for.
const CLASSES: [&str; 4] = [LOWER, UPPER, DIGITS, SPECIAL];

/// A new one. It has characters of every class, and begins with a letter or digit, lest a command line take it for an
/// option.
pub fn new() -> SecretString {
    let alphabet: Vec<char> = CLASSES.iter().flat_map(|class| class.chars()).collect();
    // Seeded by the operating system, and cryptographically strong.
    let mut random = rand::rng();
    // Choosing anew, rather than mending, leaves every password that fits as likely as every other.
    loop {
        let chosen: String = (0..LENGTH).filter_map(|_| alphabet.choose(&mut random)).collect();
        if fits(&chosen) {
            return chosen.into();
        }
    }
}

/// A password that the identity's user has been given under the name of a credential.
pub fn issued(
    identity: &ObservedIdentity,
    name: &str,
    user_name: &str,
    password: SecretString,
    at: Directory<'_>,
) -> Issued {
    let credential = ObservedCredential {
        name: name.to_owned(),
        id: identity.id.clone(),
        identity: identity.id.clone(),
        health: Health::Usable,
        material: None,
    };
    let provenance = Provenance {
        label: at.label.to_owned(),
        instance_name: identity.name.clone(),
        instance_guid: identity.id.clone(),
        ..Provenance::default()
    };
    let fields = [("username", user_name.into()), ("password", password), ("url", at.url.into())];
    let fields = fields.into_iter().map(|(field, value)| (field.to_owned(), Field::Text(value))).collect();
    Issued { credential, provenance, fields }
}

/// Where a user with a password is.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    /// What kind of directory it is, for the Secret.
    pub label: &'a str,
    /// Its address.
    pub url: &'a str,
}

fn fits(password: &str) -> bool {
    let has_all = CLASSES.iter().all(|class| password.contains(|one| class.contains(one)));
    has_all && password.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn every_password_fits_every_policy_and_none_comes_twice() {
        let made: BTreeSet<String> = (0..2000).map(|_| new().expose_secret().to_owned()).collect();
        assert_eq!(made.len(), 2000);
        for password in &made {
            assert_eq!(password.len(), LENGTH);
            for class in CLASSES {
                assert!(password.contains(|one| class.contains(one)), "{class} is missing");
            }
            let unreserved = |one: char| one.is_ascii_alphanumeric() || SPECIAL.contains(one);
            assert!(password.chars().all(unreserved) && !password.starts_with(|one| SPECIAL.contains(one)));
        }
    }

    #[test]
    fn every_character_is_used_everywhere_but_first() {
        let made: Vec<String> = (0..2000).map(|_| new().expose_secret().to_owned()).collect();
        for place in 0..LENGTH {
            let used: BTreeSet<u8> = made.iter().map(|password| password.as_bytes()[place]).collect();
            assert_eq!(used.len(), if place == 0 { 62 } else { 66 }, "at {place}");
        }
    }

    #[test]
    fn what_lacks_a_class_is_not_taken() {
        for lacking in ["", "aA0", "aA-", "a0-", "A0-", "-aA0"] {
            assert!(!fits(lacking), "{lacking}");
        }
        assert!(fits("aA0-"));
    }
}
