//! One reading of a list whose pages are by index. What goes meanwhile moves what comes after it out of sight: whoever
//! needs the whole list reads again what has changed while it was read. Asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Error, Kind, Result};

/// How often a list is read again that changed while it was read.
pub const MOST_READS: usize = 3;

/// What has an id.
pub trait Listed {
    /// The directory's id for it.
    fn id(&self) -> &str;
}

/// What the pages have shown so far.
pub struct Reading<T> {
    entries: BTreeMap<String, T>,
    /// The totals that the pages named, and how many entries they showed.
    totals: BTreeSet<usize>,
    shown: usize,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), totals: BTreeSet::new(), shown: 0 }
    }
}

impl<T: Listed> Reading<T> {
    /// Adds the next page. A first one that is empty and names a total shows nothing of what there is.
    pub fn add(&mut self, operation: &'static str, total: usize, page: Vec<T>) -> Result<()> {
        if page.is_empty() && self.shown == 0 && total > 0 {
            return Err(Error::new(Kind::UnexpectedAnswer, operation).detail("the list is not complete"));
        }
        self.shown += page.len();
        self.totals.insert(total);
        self.entries.extend(page.into_iter().map(|entry| (entry.id().to_owned(), entry)));
        Ok(())
    }

    /// How many entries the pages have shown.
    pub const fn shown(&self) -> usize {
        self.shown
    }

    /// Whether nothing came or went while it was read, as far as can be seen.
    pub fn is_whole(&self) -> bool {
        self.totals.iter().all(|total| *total == self.shown) && self.entries.len() == self.shown
    }

    /// Everything that was shown, each once.
    pub fn into_entries(self) -> impl Iterator<Item = T> {
        self.entries.into_values()
    }
}

/// A text in a filter (RFC 7644 §3.4.2.2: as in JSON).
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Entry(&'static str);

    impl Listed for Entry {
        fn id(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn a_list_that_moved_is_not_whole() {
        let read = |pages: &[(usize, &[&'static str])]| {
            let mut reading = Reading::default();
            for (total, page) in pages {
                reading.add("list", *total, page.iter().map(|id| Entry(id)).collect()).unwrap();
            }
            reading.is_whole()
        };
        assert!(read(&[(3, &["a", "b"]), (3, &["c"])]) && read(&[(0, &[])]));
        assert!(!read(&[(3, &["a", "b"]), (2, &[])]), "one went");
        assert!(!read(&[(3, &["a", "b"]), (3, &["b"])]), "one came before");
        assert!(!read(&[(3, &["a", "b"]), (3, &[])]), "one is missing");
    }

    #[test]
    fn an_empty_page_that_names_a_total_is_no_empty_list() {
        assert!(Reading::<Entry>::default().add("list", 2, vec![]).is_err());
    }

    #[test]
    fn no_name_ends_its_quotes() {
        assert_eq!(quoted(r#"a" or id pr or "\"#), r#""a\" or id pr or \"\\""#);
    }
}
