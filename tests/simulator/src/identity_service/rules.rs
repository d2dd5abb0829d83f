//! What a user of the Identity Directory has to be, beyond what schemas say, and what the directory fills in. The texts
//! are those of its OpenAPI document, as far as it has some.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::kinds::{SAP, primary_mail, sap, sap_mut};
use crate::directory::fault::Fault;
use crate::directory::input::Body;
use crate::directory::shelf::Shelf;

const USER_TYPES: [&str; 6] = ["public", "partner", "customer", "external", "onboardee", "employee"];
const STATUSES: [&str; 3] = ["new", "active", "inactive"];
const PASSWORD_STATUSES: [&str; 4] = ["importedPassword", "initial", "enabled", "disabled"];

fn bad(text: impl Into<String>) -> Fault {
    Fault::bad("invalidValue", text)
}

/// A user of a request that describes it whole: checked, and with the defaults.
pub(super) fn whole(mut body: Body) -> Result<Body, Fault> {
    let active = body.get("active").is_some_and(|active| active == true);
    let status =
        sap(&body, "status").and_then(Value::as_str).map_or_else(|| status_of(active).to_owned(), str::to_owned);
    body.insert("active".to_owned(), json!(active));
    body.entry("userType").or_insert_with(|| json!("public"));
    let extension = sap_mut(&mut body);
    extension["status"] = json!(status);
    if extension["mailVerified"].is_null() {
        extension["mailVerified"] = json!(false);
    }
    check(&body)?;
    Ok(body)
}

/// A user after a change of parts: of the two that say whether it is active, the other one follows.
pub(super) fn in_step(old: &Body, mut body: Body) -> Result<Body, Fault> {
    let active = |body: &Body| body.get("active").cloned().unwrap_or(Value::Bool(false));
    let status = |body: &Body| sap(body, "status").cloned().unwrap_or_default();
    if active(old) != active(&body) && status(old) == status(&body) {
        sap_mut(&mut body)["status"] = json!(status_of(active(&body) == true));
    } else if status(old) != status(&body) && active(old) == active(&body) {
        body.insert("active".to_owned(), json!(status(&body) == "active"));
    }
    check(&body)?;
    Ok(body)
}

fn status_of(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

fn check(body: &Body) -> Result<(), Fault> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let status = text(sap(body, "status"));
    if !STATUSES.contains(&status.as_str()) {
        return Err(bad("Invalid fields."));
    }
    if (status == "active") != body.get("active").is_some_and(|active| active == true) {
        return Err(bad("Values for attribute status are not synchronized in different extensions."));
    }
    let name = &body.get("name").cloned().unwrap_or_default();
    let named = ["familyName", "givenName"].iter().all(|part| name[*part].as_str().is_some_and(|one| !one.is_empty()));
    let user_name = text(body.get("userName"));
    let user_type = text(body.get("userType")).to_lowercase();
    let password_status = sap(body, "passwordDetails").and_then(|details| details["status"].as_str());
    if !named
        || user_name.is_empty()
        || user_name.contains(['<', '>', ':', '/'])
        || !USER_TYPES.contains(&user_type.as_str())
        || password_status.is_some_and(|status| !PASSWORD_STATUSES.contains(&status))
        || sap(body, "sapUserName").and_then(Value::as_str).is_some_and(|name| !is_sap_user_name(name))
    {
        return Err(bad("Invalid fields."));
    }
    check_mails(body)
}

fn check_mails(body: &Body) -> Result<(), Fault> {
    let mails = body.get("emails").and_then(Value::as_array).cloned().unwrap_or_default();
    let valid = |mail: &Value| {
        let address = mail["value"].as_str().and_then(|address| address.split_once('@'));
        let typed = mail["type"].as_str().is_some_and(|kind| ["work", "home", "other"].contains(&kind));
        typed && address.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
    };
    if mails.is_empty() || !mails.iter().all(valid) {
        return Err(bad("One of the given emails inputs is not valid!"));
    }
    let repeated = sap(body, "emails").and_then(Value::as_array);
    let addresses = |all: &[Value]| all.iter().map(|mail| mail["value"].clone()).collect::<Vec<_>>();
    if repeated.is_some_and(|repeated| addresses(repeated) != addresses(&mails)) {
        return Err(bad("Values for attribute emails are not synchronized in different extensions."));
    }
    Ok(())
}

/// `^(?!.*(i|d|s|c|p)([0-9]){5,9})[a-z0-9]+[a-z0-9\._-]*$`
fn is_sap_user_name(name: &str) -> bool {
    let signs: Vec<char> = name.chars().collect();
    let plain = |sign: &char| sign.is_ascii_lowercase() || sign.is_ascii_digit();
    let number = |window: &[char]| "idscp".contains(window[0]) && window[1..].iter().all(char::is_ascii_digit);
    signs.first().is_some_and(plain)
        && signs.iter().all(|sign| plain(sign) || "._-".contains(*sign))
        && !signs.windows(6).any(number)
}

/// Neither name nor primary address may be another user's.
pub(super) fn unique(users: &Shelf, body: &Body, id: Option<&str>) -> Result<(), Fault> {
    let taken =
        |what: &str| Fault::new(StatusCode::CONFLICT, None, format!("A user with the same {what} already exists!"));
    if users.same("userName", body, id).is_some() {
        return Err(taken("userName"));
    }
    let mail = primary_mail(body).unwrap_or_default().to_lowercase();
    let others = users.all.iter().filter(|one| Some(one.id.as_str()) != id);
    let same = others.into_iter().any(|one| primary_mail(&one.body).is_some_and(|one| one.to_lowercase() == mail));
    if same { Err(taken("primary email")) } else { Ok(()) }
}

/// What counts for one request only, and is not kept.
pub(super) fn without_momentary(body: &mut Body) {
    let Some(extension) = body.get_mut(SAP).and_then(Value::as_object_mut) else { return };
    for name in ["targetUrl", "applicationId", "emailTemplateSetId", "passwordDetails", "emails", "phoneNumbers"] {
        extension.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::is_sap_user_name;

    #[test]
    fn a_name_that_looks_like_a_user_id_is_refused() {
        for name in ["tu-billing", "9lives", "d1234", "a12345"] {
            assert!(is_sap_user_name(name), "{name}");
        }
        for name in ["tu-7c12345", "d123456", "-tu", "Tu", "", "a b"] {
            assert!(!is_sap_user_name(name), "{name}");
        }
    }
}
