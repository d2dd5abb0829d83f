//! The labels and annotations of a Secret: those of the template and of the operator are on it, and those that left the
//! template are not. What others put there is theirs.
//!
//! The API server knows who set each of them (`managedFields`), so nothing of our own has to remember it, and nobody can
//! have the operator take off what somebody else set.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::ResourceExt;

use crate::api::{
    CREDENTIAL_ANNOTATION, FINGERPRINT_ANNOTATION, MANAGED_BY_LABEL, OPERATOR, SEQUENCE_ANNOTATION, SecretTemplate,
};

type Texts = BTreeMap<String, String>;

/// Whether type, labels and annotations are as they shall be.
pub fn is_right(secret: &Secret, template: &SecretTemplate) -> bool {
    let has = |there: &Texts, wanted: &Texts| wanted.iter().all(|(key, value)| there.get(key) == Some(value));
    is_of_type(secret, template)
        && has(secret.labels(), &template.labels)
        && has(secret.annotations(), &template.annotations)
        && secret.labels().get(MANAGED_BY_LABEL).is_some_and(|value| value == OPERATOR)
        && left_labels(secret, template).is_empty()
        && left_annotations(secret, template).is_empty()
}

/// Whether it has the type of the template.
pub fn is_of_type(secret: &Secret, template: &SecretTemplate) -> bool {
    secret.type_.as_deref().unwrap_or("Opaque") == template.kind()
}

/// Puts labels and annotations right.
pub fn put_right(secret: &mut Secret, template: &SecretTemplate) {
    let (labels, annotations) = (left_labels(secret, template), left_annotations(secret, template));
    secret.labels_mut().retain(|key, _| !labels.contains(key));
    secret.annotations_mut().retain(|key, _| !annotations.contains(key));
    secret.labels_mut().extend(template.labels.clone());
    secret.labels_mut().insert(MANAGED_BY_LABEL.to_owned(), OPERATOR.to_owned());
    secret.annotations_mut().extend(template.annotations.clone());
}

/// Whether we wrote what this entry lists.
pub fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_ref().is_some_and(|manager| manager.starts_with(OPERATOR))
}

fn left_labels(secret: &Secret, template: &SecretTemplate) -> Vec<String> {
    let wanted = |key: &str| key == MANAGED_BY_LABEL || template.labels.contains_key(key);
    ours(secret, "f:labels").filter(|key| secret.labels().contains_key(key) && !wanted(key)).collect()
}

fn left_annotations(secret: &Secret, template: &SecretTemplate) -> Vec<String> {
    let own = [CREDENTIAL_ANNOTATION, SEQUENCE_ANNOTATION, FINGERPRINT_ANNOTATION];
    let wanted = |key: &str| own.contains(&key) || template.annotations.contains_key(key);
    ours(secret, "f:annotations").filter(|key| secret.annotations().contains_key(key) && !wanted(key)).collect()
}

/// The keys of a map that we set, and nobody has set since.
fn ours<'a>(secret: &'a Secret, map: &'static str) -> impl Iterator<Item = String> + 'a {
    let entries = secret.metadata.managed_fields.iter().flatten().filter(|entry| is_ours(entry));
    let maps = entries.filter_map(move |entry| entry.fields_v1.as_ref()?.0.get("f:metadata")?.get(map)?.as_object());
    maps.flat_map(|map| map.keys()).filter_map(|key| key.strip_prefix("f:")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret() -> Secret {
        let fields = |labels: serde_json::Value| json!({ "f:metadata": { "f:labels": labels } });
        let entry = |manager: &str, labels| json!({ "manager": manager, "fieldsV1": fields(labels) });
        let ours = entry("technical-user-operator/credential", json!({ ".": {}, "f:team": {}, "f:left": {} }));
        let labels = json!({ "team": "a", "left": "b", "theirs": "c", MANAGED_BY_LABEL: OPERATOR });
        let entries = [ours, entry("kubectl", json!({ "f:theirs": {} }))];
        serde_json::from_value(json!({ "metadata": { "labels": labels, "managedFields": entries } })).unwrap()
    }

    fn template(labels: &[(&str, &str)]) -> SecretTemplate {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        SecretTemplate { labels, ..SecretTemplate::default() }
    }

    #[test]
    fn what_left_the_template_is_taken_off_and_what_others_set_stays() {
        let (mut secret, template) = (secret(), template(&[("team", "a")]));
        assert!(!is_right(&secret, &template));
        put_right(&mut secret, &template);
        assert_eq!(secret.labels().keys().collect::<Vec<_>>(), [MANAGED_BY_LABEL, "team", "theirs"]);
        assert!(is_right(&secret, &template));
    }

    #[test]
    fn what_is_as_it_shall_be_is_right() {
        assert!(is_right(&secret(), &template(&[("team", "a"), ("left", "b")])));
        assert!(!is_right(&secret(), &template(&[("team", "other"), ("left", "b")])));
    }
}
