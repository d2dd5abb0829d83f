//! The words of a filter. What they mean is not known here.

use serde_json::Value;

/// A word of a filter.
#[derive(Debug, PartialEq)]
pub(super) enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenValues,
    /// `]`
    CloseValues,
    /// A name or an operator.
    Word(String),
    /// A text in quotes, a number, `true`, `false` or `null`.
    Literal(Value),
}

/// The words of a text; `None` where a quote is not closed.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | '[' | ']' => 1,
            '"' => quoted(rest)?,
            _ => rest.find(|sign: char| sign.is_whitespace() || "()[]\"".contains(sign)).unwrap_or(rest.len()),
        };
        found.push(token(&rest[..length])?);
        rest = rest[length..].trim_start();
    }
    Some(found)
}

/// Length of the text in quotes at the start, quotes included.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn token(text: &str) -> Option<Token> {
    Some(match text {
        "(" => Token::Open,
        ")" => Token::Close,
        "[" => Token::OpenValues,
        "]" => Token::CloseValues,
        quoted if quoted.starts_with('"') => Token::Literal(serde_json::from_str(quoted).ok()?),
        word => serde_json::from_str(word).map_or_else(|_| Token::Word(word.to_owned()), Token::Literal),
    })
}
