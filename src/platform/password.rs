//! Passwords that we make for users of directories: nobody can guess them, every usual policy takes them, and no place
//! that they are written to has to encode them.

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use secrecy::SecretString;

/// Characters of a password: more than any policy asks for, fewer than any forbids.
const LENGTH: usize = 32;
/// The four classes that policies count. The last are the marks that a URL takes as they are (RFC 3986 §2.3).
const CLASSES: [&[u8]; 4] = [b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz", b"0123456789", b"-._~"];

/// A new password with characters of all four classes.
pub fn new_password() -> SecretString {
    // Seeded by the operating system, and cryptographically strong.
    let mut random = rand::rng();
    let all = CLASSES.concat();
    let mut password: Vec<u8> = CLASSES.iter().filter_map(|class| class.choose(&mut random).copied()).collect();
    while password.len() < LENGTH {
        password.extend(all.choose(&mut random));
    }
    password.shuffle(&mut random);
    password.into_iter().map(char::from).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn passwords_differ_have_all_classes_and_need_no_encoding() {
        let all: BTreeSet<String> = (0..200).map(|_| new_password().expose_secret().to_owned()).collect();
        assert_eq!(all.len(), 200);
        for password in all {
            assert_eq!(password.len(), LENGTH);
            assert!(CLASSES.iter().all(|class| password.bytes().any(|one| class.contains(&one))), "{password}");
            assert!(password.bytes().all(|one| one.is_ascii_alphanumeric() || b"-._~".contains(&one)), "{password}");
        }
    }
}
