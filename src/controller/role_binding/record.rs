//! The ledger as the status keeps it. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::LedgerEntry;
use crate::api::role_binding::HolderRecord;
use crate::plan::grant::{Grant, Holder};
use crate::plan::role_binding::{Entry, Ledger};

/// The ledger that a status records.
pub fn ledger_of(entries: &[LedgerEntry]) -> Ledger {
    entries.iter().map(|entry| (grant_of(entry), entry_of(entry))).collect()
}

/// A ledger in the form in which a status records it.
pub fn recorded(ledger: &Ledger) -> Vec<LedgerEntry> {
    let record = |(grant, entry): (&Grant, &Entry)| LedgerEntry {
        holder: HolderRecord {
            kind: grant.holder.kind(),
            name: grant.holder.name().to_owned(),
            origin: grant.holder.origin().to_owned(),
        },
        role: grant.role.clone(),
        owned: entry.owned,
        wanted: entry.wanted,
        denied_since: entry.denied_since.map(Time),
    };
    ledger.iter().map(record).collect()
}

fn grant_of(entry: &LedgerEntry) -> Grant {
    let HolderRecord { kind, name, origin } = &entry.holder;
    Grant::new(Holder::named(*kind, name, origin), entry.role.clone())
}

fn entry_of(entry: &LedgerEntry) -> Entry {
    let denied_since = entry.denied_since.as_ref().map(|since| since.0);
    Entry { owned: entry.owned, wanted: entry.wanted, denied_since }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        let entries: Vec<LedgerEntry> = serde_json::from_str(
            r#"[{"holder": {"kind": "Group", "name": "Dev", "origin": "sap.custom"},
                 "role": {"roleCollection": {"name": "r"}}, "owned": true, "wanted": false,
                 "deniedSince": "2026-01-01T00:00:00Z"}]"#,
        )
        .unwrap();
        assert_eq!(recorded(&ledger_of(&entries)), entries);
    }
}
