//! Every cell of what works where is shown by a story: a cell that none names is a promise that nobody has seen kept.

use std::collections::BTreeSet;

use technical_user_operator::plan::capability::{Held, RoleCell};
use technical_user_operator::plan::environment::TABLES;

use crate::sources;

/// Each cell, and the story that shows it: its file or folder in `tests/stories`, and its test.
const SHOWN: &[(&str, &str, &str)] = &[
    ("btp serviceKey", "quickstart", "the_quick_start_holds_what_it_promises"),
    ("btp existing", "holders", "an_existing_user_and_a_group_hold_a_role_collection"),
    ("btp instanceRole of serviceKey", "quickstart", "the_quick_start_holds_what_it_promises"),
    ("btp roleCollection for user", "quickstart", "the_quick_start_holds_what_it_promises"),
    ("btp roleCollection for existing", "holders", "an_existing_user_and_a_group_hold_a_role_collection"),
    ("btp roleCollection for group", "holders", "an_existing_user_and_a_group_hold_a_role_collection"),
    ("neo certificateUser", "certificates", "a_certificate_opens_the_runtime_and_is_renewed_without_a_gap"),
    (
        "neo applicationRole for certificateUser",
        "certificates",
        "a_certificate_opens_the_runtime_and_is_renewed_without_a_gap",
    ),
    ("neo existing", "neo", "a_p_user_becomes_a_member_with_roles_and_the_operator_advises_against_it"),
    ("neo memberRole for existing", "neo", "a_p_user_becomes_a_member_with_roles_and_the_operator_advises_against_it"),
    ("neo memberRole for user", "holders", "a_person_becomes_a_member_and_a_user_of_an_application"),
    (
        "neo applicationRole for existing",
        "neo",
        "a_p_user_becomes_a_member_with_roles_and_the_operator_advises_against_it",
    ),
    ("neo applicationRole for user", "holders", "a_person_becomes_a_member_and_a_user_of_an_application"),
    ("uaa oauthClient", "uaa", "a_client_and_a_user_work_and_survive_the_loss_of_their_secrets"),
    ("uaa authority of oauthClient", "uaa", "a_client_and_a_user_work_and_survive_the_loss_of_their_secrets"),
    (
        "cloudFoundry serviceKey",
        "cloud_foundry",
        "a_service_key_in_a_space_works_as_long_as_its_role_says_so_and_leaves_nothing",
    ),
    ("cloudFoundry existing", "cloud_foundry", "who_belonged_to_the_organization_before_still_does_afterwards"),
    (
        "cloudFoundry instanceRole of serviceKey",
        "cloud_foundry",
        "a_service_key_in_a_space_works_as_long_as_its_role_says_so_and_leaves_nothing",
    ),
    ("cloudFoundry organizationRole for user", "holders", "a_person_has_roles_of_an_organization_and_of_a_space"),
    (
        "cloudFoundry organizationRole for existing",
        "cloud_foundry",
        "who_belonged_to_the_organization_before_still_does_afterwards",
    ),
    (
        "cloudFoundry spaceRole for user",
        "cloud_foundry",
        "a_role_in_a_space_brings_its_holder_into_the_organization_and_takes_it_out_again",
    ),
    (
        "cloudFoundry spaceRole for existing",
        "cloud_foundry",
        "who_belonged_to_the_organization_before_still_does_afterwards",
    ),
    ("scim directoryUser", "scim", "a_user_of_a_directory_works_and_leaves_nothing"),
    ("scim existing", "scim", "a_user_of_a_directory_works_and_leaves_nothing"),
    ("scim groupMembership for directoryUser", "scim", "a_user_of_a_directory_works_and_leaves_nothing"),
    ("scim groupMembership for existing", "scim", "a_user_of_a_directory_works_and_leaves_nothing"),
    ("scim groupMembership for user", "scim", "a_user_of_a_directory_works_and_leaves_nothing"),
    ("btp directoryUser", "identity_service", "a_technical_user_that_nobody_has_to_confirm"),
    ("btp roleCollection for directoryUser", "identity_service", "a_technical_user_that_nobody_has_to_confirm"),
    ("btp groupMembership for directoryUser", "identity_service", "a_technical_user_that_nobody_has_to_confirm"),
    ("uaa directoryUser", "uaa", "a_client_and_a_user_work_and_survive_the_loss_of_their_secrets"),
    ("btp groupMembership for existing", "identity_service", "users_that_are_there_already_become_members_of_groups"),
    ("btp groupMembership for user", "identity_service", "users_that_are_there_already_become_members_of_groups"),
    ("neo directoryUser", "neo_tenant", "a_technical_user_with_a_password_is_a_member_and_calls_cloud_integration"),
    (
        "neo memberRole for directoryUser",
        "neo_tenant",
        "a_technical_user_with_a_password_is_a_member_and_calls_cloud_integration",
    ),
    (
        "neo applicationRole for directoryUser",
        "neo_tenant",
        "a_technical_user_with_a_password_is_a_member_and_calls_cloud_integration",
    ),
    (
        "neo groupMembership for directoryUser",
        "neo_tenant",
        "a_technical_user_with_a_password_is_a_member_and_calls_cloud_integration",
    ),
    ("neo groupMembership for existing", "neo_tenant", "whoever_the_tenant_knows_becomes_a_member_of_its_groups"),
    ("neo groupMembership for user", "neo_tenant", "whoever_the_tenant_knows_becomes_a_member_of_its_groups"),
    ("uaa groupMembership for directoryUser", "uaa", "a_client_and_a_user_work_and_survive_the_loss_of_their_secrets"),
    ("uaa groupMembership for user", "uaa", "a_client_and_a_user_work_and_survive_the_loss_of_their_secrets"),
];

/// Who can have a role, as words.
fn holders(cell: &RoleCell) -> Vec<String> {
    match cell.held {
        Held::ByIdentity(kinds) => kinds.iter().map(|kind| format!("of {}", kind.name())).collect(),
        Held::ByHolder { identities, users, groups } => {
            let named = identities.iter().map(|kind| kind.name());
            let named = named.chain(users.then_some("user")).chain(groups.then_some("group"));
            named.map(|holder| format!("for {holder}")).collect()
        }
    }
}

fn cells() -> BTreeSet<String> {
    let of = |(environment, table): &(&str, &technical_user_operator::plan::capability::Table)| {
        let identities = table.identities.iter().map(|cell| format!("{environment} {}", cell.kind.name()));
        let roles = table.roles.iter().flat_map(|cell| {
            holders(cell).into_iter().map(move |holder| format!("{environment} {} {holder}", cell.kind.name()))
        });
        identities.chain(roles).collect::<Vec<_>>()
    };
    TABLES.iter().flat_map(of).collect()
}

#[test]
fn every_cell_has_a_story() {
    let shown: BTreeSet<String> = SHOWN.iter().map(|(cell, ..)| (*cell).to_owned()).collect();
    assert_eq!(shown, cells(), "cells that are shown, and cells that there are");
}

#[test]
fn the_stories_of_the_cells_are_there() {
    let stories = sources::below("tests/stories");
    for (cell, file, story) in SHOWN {
        let test = format!("#[test]\nfn {story}()");
        let path = format!("tests/stories/{file}");
        let has = |(name, text): &(std::path::PathBuf, String)| {
            name.to_string_lossy().starts_with(&path) && text.contains(&test)
        };
        assert!(stories.iter().any(has), "{cell}: no story {story} in {path}");
    }
}
