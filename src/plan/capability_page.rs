//! The page that tells what works where, made from the table. Markdown, for `docs/what-works-where.md`.

use super::capability::{Held, IdentityCell, RoleCell};
use super::environment::TABLES;
use crate::api::{IdentityKind, RoleKind};

/// What nobody can have.
const NOTHING: &str = "–";

/// The whole page.
pub fn page() -> String {
    let header = format!("| | {} |\n", TABLES.map(|(name, _)| format!("`{name}`")).join(" | "));
    let line = format!("|---|{}\n", "---|".repeat(TABLES.len()));
    let identities = IdentityKind::ALL.map(identity_row).concat();
    let roles = RoleKind::ALL.map(role_row).concat();
    format!("{OPENING}\n{header}{line}{identities}{BETWEEN}\n{header}{line}{roles}{CLOSING}")
}

fn identity_row(kind: IdentityKind) -> String {
    let cells = TABLES.map(|(_, table)| table.identity(kind).map_or(NOTHING.to_owned(), identity_cell));
    format!("| `{}` | {} |\n", kind.name(), cells.join(" | "))
}

fn role_row(kind: RoleKind) -> String {
    let cells = TABLES.map(|(_, table)| table.role(kind).map_or(NOTHING.to_owned(), role_cell));
    format!("| `{}` | {} |\n", kind.name(), cells.join(" | "))
}

fn identity_cell(cell: &IdentityCell) -> String {
    format!("{}{}", cell.how, needs(cell.api))
}

fn role_cell(cell: &RoleCell) -> String {
    let how = match cell.held {
        Held::ByIdentity(_) => "carried by ",
        Held::ByHolder { .. } => "granted to ",
    };
    format!("{how}{}{}", cell.held.holders(), needs(cell.api))
}

pub(super) fn needs(api: Option<&str>) -> String {
    api.map_or(String::new(), |api| format!(" (needs `{api}`)"))
}

const OPENING: &str = "\
# What works where

Made by `make generate` from the table by which the operator judges: what is not in it is refused with a reason, before
any call. How each environment is set up stands in [environments](environments/README.md).

## What a TechnicalUser can be
";

const BETWEEN: &str = "
`existing` is a user that somebody else made: it gets roles, and nobody can issue a credential for it.

## What a RoleBinding can give, and to whom
";

const CLOSING: &str = "
A role that is *carried* is a property of the technical user's own instance or client: the union of what its
RoleBindings give. A role that is *granted* is an assignment to a user or group, recorded by the RoleBinding that made it.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_cell_for_every_environment() {
        let page = page();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), IdentityKind::ALL.len() + RoleKind::ALL.len());
        assert!(rows.iter().all(|row| row.matches(" | ").count() == TABLES.len()), "{page}");
        assert!(page.contains("a service instance and a service key of the Service Manager (needs `serviceManager`)"));
    }
}
