//! `fieldQuery` and `labelQuery`: `name eq 'x' and service_instance_id in ('a','b')`.

use super::refusal::Refusal;

/// One condition; all of a query must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Criterion {
    /// Field or label key.
    pub(crate) key: String,
    /// How it is compared.
    pub(crate) operator: Operator,
    /// What it is compared with; one value except for `in` and `notin`.
    pub(crate) values: Vec<String>,
}

/// The comparisons of the query language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Equal, or not set at all.
    En,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// Has the text inside.
    Contains,
}

impl Criterion {
    /// Whether a value (absent: not set) meets it.
    pub(crate) fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return matches!(self.operator, Operator::En | Operator::Ne | Operator::NotIn) };
        let first = self.values.first().map_or("", String::as_str);
        match self.operator {
            Operator::Eq | Operator::En => value == first,
            Operator::Ne => value != first,
            Operator::Gt => value > first,
            Operator::Ge => value >= first,
            Operator::Lt => value < first,
            Operator::Le => value <= first,
            Operator::In => self.values.iter().any(|one| one == value),
            Operator::NotIn => self.values.iter().all(|one| one != value),
            Operator::Contains => value.contains(first),
        }
    }

    /// The value, if it asks for exactly one.
    pub(crate) fn exactly(&self) -> Option<&str> {
        (self.operator == Operator::Eq).then(|| self.values.first().map(String::as_str)).flatten()
    }
}

/// Reads a query; a syntax error names its column.
pub(crate) fn parse(text: &str) -> Result<Vec<Criterion>, Refusal> {
    let mut reader = Reader { text, at: 0 };
    let mut criteria = vec![reader.criterion()?];
    while reader.skip_spaces() {
        if reader.word() != "and" {
            return Err(reader.malformed());
        }
        criteria.push(reader.criterion()?);
    }
    Ok(criteria)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self) -> Refusal {
        let column = self.at;
        Refusal::bad_request(format!("error while parsing query: malformed query at line 1 column {column}"))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Steps over spaces; false at the end.
    fn skip_spaces(&mut self) -> bool {
        self.at += self.rest().len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    fn word(&mut self) -> &'a str {
        self.skip_spaces();
        let rest = self.rest();
        let end = rest.find([' ', ',', ')', '(', '\'']).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    fn criterion(&mut self) -> Result<Criterion, Refusal> {
        let key = self.word().to_owned();
        if key.is_empty() {
            return Err(self.malformed());
        }
        let operator = self.operator()?;
        let many = matches!(operator, Operator::In | Operator::NotIn);
        let values = if many { self.list()? } else { vec![self.value()?] };
        Ok(Criterion { key, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, Refusal> {
        Ok(match self.word() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            "en" => Operator::En,
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            "contains" => Operator::Contains,
            _ => return Err(self.malformed()),
        })
    }

    fn list(&mut self) -> Result<Vec<String>, Refusal> {
        if !self.take('(') {
            return Err(self.malformed());
        }
        let mut values = vec![self.value()?];
        while self.take(',') {
            values.push(self.value()?);
        }
        if self.take(')') { Ok(values) } else { Err(self.malformed()) }
    }

    /// A quoted text, in which a quote is doubled; or a bare number or boolean.
    fn value(&mut self) -> Result<String, Refusal> {
        if !self.take('\'') {
            let word = self.word();
            let bare = word == "true" || word == "false" || word.parse::<f64>().is_ok();
            return if bare { Ok(word.to_owned()) } else { Err(self.malformed()) };
        }
        let mut value = String::new();
        loop {
            let end = self.rest().find('\'').ok_or_else(|| self.malformed())?;
            value.push_str(&self.rest()[..end]);
            self.at += end + 1;
            if !self.rest().starts_with('\'') {
                return Ok(value);
            }
            value.push('\'');
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_joined_by_and() {
        let criteria = parse("name eq 'it''s' and service_instance_id in ('a', 'b') and ready eq true").unwrap();
        assert_eq!(criteria.len(), 3);
        assert_eq!(criteria[0].exactly(), Some("it's"));
        assert!(criteria[1].holds(Some("b")) && !criteria[1].holds(Some("c")));
        assert_eq!(criteria[2].values, ["true"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["", "name", "name eq", "name eq x", "name is 'x'", "name eq 'x' or a eq 'b'", "name eq 'x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_missing_value_is_equal_only_to_nothing() {
        let holds = |text: &str| parse(text).unwrap()[0].holds(None);
        assert!(!holds("a eq 'x'") && holds("a ne 'x'") && holds("a en 'x'") && !holds("a in ('x')"));
    }
}
