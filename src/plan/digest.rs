//! Digests as text: for names that follow from what they name, and for seeing that something has changed.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first `bytes` bytes of the SHA-256 of these parts, in hexadecimal. Parts are set apart by their lengths.
pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>, bytes: usize) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut text = String::with_capacity(2 * bytes);
    for byte in digest.finalize().iter().take(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_difference_shows_where_parts_end_included() {
        let digest = |parts: &[&str]| of(parts.iter().map(|part| part.as_bytes()), 16);
        assert_eq!(digest(&["a", "bc"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a", "bc"]), digest(&["ab", "c"]));
        assert_ne!(digest(&["a", "bc"]), digest(&["a", "bd"]));
        assert_ne!(digest(&["a", ""]), digest(&["a"]));
        assert_eq!(digest(&[]).len(), 32);
    }
}
