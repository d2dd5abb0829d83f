//! What the UAA's filters of users may name, which is not what answers show: the parts of a name stand for themselves, and
//! of the `externalId`, which every answer shows, it knows nothing.

/// The filter in terms of what answers show; `None` where it names what the UAA cannot search by.
pub(super) fn in_terms_of_answers(filter: &str) -> Option<String> {
    let mut rest = filter;
    let mut read = String::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => quoted(rest),
            one if one.is_alphanumeric() => rest.find(|one: char| !one.is_alphanumeric() && one != '.')?,
            one => one.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        read.push_str(&named(word)?);
        rest = after;
        if !rest.is_empty() && !rest.contains(|one: char| !one.is_alphanumeric()) {
            read.push_str(rest);
            break;
        }
    }
    Some(read)
}

fn named(word: &str) -> Option<String> {
    match word.to_lowercase().as_str() {
        "familyname" => Some("name.familyName".to_owned()),
        "givenname" => Some("name.givenName".to_owned()),
        "externalid" => None,
        other if other.starts_with("name.") => None,
        _ => Some(word.to_owned()),
    }
}

/// The length of the text in quotes that this begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, one)| {
        let ends = *one == '"' && !escaped;
        escaped = *one == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::in_terms_of_answers;

    #[test]
    fn parts_of_a_name_stand_for_themselves_and_the_external_id_for_nothing() {
        let read = in_terms_of_answers;
        assert_eq!(
            read(r#"familyName sw "tuo-" and active eq true"#).unwrap(),
            r#"name.familyName sw "tuo-" and active eq true"#
        );
        assert_eq!(
            read(r#"userName eq "familyName \" externalId""#).unwrap(),
            r#"userName eq "familyName \" externalId""#
        );
        assert_eq!((read(r#"externalId sw "c/""#), read(r#"name.familyName eq "x""#)), (None, None));
    }
}
