//! Why a role is not given or not taken away. All of it is one title; the texts alone tell it apart (cloud_controller_ng,
//! `app/actions/role_create.rb`, `app/actions/role_guard.rb`). Pure.

use serde_json::Value;

use super::dialect::says;
use crate::plan::grant::Holder;
use crate::platform::error::{Error, Kind};
use crate::platform::http::Answer;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The user has the role.
    Duplicate,
    /// The user has no role in the organization, or there is no such user: the platform does not tell which.
    NotInOrganization,
    /// Nobody has this name at this origin.
    UnknownUser,
    /// Several identity providers have a user of this name.
    Ambiguous,
    /// There is no such organization or space, or it is not to be seen.
    UnknownPlace,
    /// The user has roles in spaces of the organization.
    StillInSpaces,
    /// Something else.
    Other,
}

/// What the texts begin with, or have in them.
const TEXTS: [(&str, Complaint); 7] = [
    ("already has", Complaint::Duplicate),
    ("if they do not have a role in that space's organization", Complaint::NotInOrganization),
    ("No user exists", Complaint::UnknownUser),
    ("Ambiguous user", Complaint::Ambiguous),
    ("Invalid organization", Complaint::UnknownPlace),
    ("Invalid space", Complaint::UnknownPlace),
    ("Cannot delete organization_user", Complaint::StillInSpaces),
];

impl Complaint {
    /// Reads a refusal.
    pub fn of(answer: &Answer) -> Self {
        let body: Value = answer.json("read refusal").unwrap_or_default();
        TEXTS.iter().find(|(text, _)| says(&body, text)).map_or(Self::Other, |(_, complaint)| *complaint)
    }

    /// The error in words that say what to do.
    pub fn error(self, operation: &'static str, holder: &Holder) -> Error {
        let user = format!("user `{}` of origin `{}`", holder.name(), holder.origin());
        let (kind, detail) = match self {
            Self::Duplicate => {
                (Kind::UnexpectedAnswer, format!("{user} is said to have the role and is not shown with it"))
            }
            Self::NotInOrganization => {
                (Kind::NotFound, format!("{user} has no role in the organization, or the platform does not know them"))
            }
            Self::UnknownUser => {
                let how = "they must have logged on once, or be made a member in the cockpit; is the origin right?";
                (Kind::NotFound, format!("the platform does not know {user}: {how}"))
            }
            Self::Ambiguous => {
                (Kind::Invalid, format!("several identity providers know `{}`; name the origin", holder.name()))
            }
            Self::UnknownPlace => (Kind::NotFound, "the organization or the space is not there any more".to_owned()),
            Self::StillInSpaces => {
                let detail = format!("{user} still has roles in spaces of the organization that we did not give");
                (Kind::Invalid, detail)
            }
            Self::Other => (Kind::Invalid, "status 422, CF-UnprocessableEntity".to_owned()),
        };
        Error::new(kind, operation).detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_of_the_cloud_controller_is_understood() {
        let of = |detail: &str| {
            let body = json!({"errors": [{"code": 10008, "title": "CF-UnprocessableEntity", "detail": detail}]});
            Complaint::of(&Answer::for_test(422, &[], &body.to_string()))
        };
        let told = "User 'x' already has 'organization_user' role in organization 'y'.";
        assert_eq!(of(told), Complaint::Duplicate);
        let told = "Users cannot be assigned roles in a space if they do not have a role in that space's organization.";
        assert_eq!(of(told), Complaint::NotInOrganization);
        assert_eq!(of("No user exists with the username 'x' and origin 'o'."), Complaint::UnknownUser);
        let told = "Ambiguous user. User with username 'x' exists in the following origins: a, b. Specify an origin to \
                    disambiguate.";
        assert_eq!(of(told), Complaint::Ambiguous);
        let told = "Cannot delete organization_user role while user has roles in spaces in that organization.";
        assert_eq!(of(told), Complaint::StillInSpaces);
        assert_eq!(of("hunter2"), Complaint::Other);
    }
}
