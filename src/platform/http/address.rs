//! Addresses: what a base URL must be, and how names become path segments.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use crate::platform::error::{Error, Kind, Result};

/// Everything but the unreserved characters of RFC 3986 §2.3: a name is one segment, whatever is in it.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Reads a base URL. Plain `http` is refused unless it stays on this machine: a credential travels over it.
pub fn base(text: &str, what: &'static str) -> Result<Url> {
    let refuse = |detail: &str| Error::new(Kind::MalformedSecret, "read address").detail(format!("`{what}` {detail}"));
    let url = Url::parse(text.trim()).map_err(|_| refuse("is not a URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(refuse("is plain http; use https")),
        _ => return Err(refuse("is not an https URL")),
    }
    if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must name a host and no user"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A URL below a base. Each segment is encoded whole, so a slash or a space in a name stays in the name.
pub fn below(base: &Url, segments: &[&str], operation: &'static str) -> Result<Url> {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in segments {
        // Dot segments vanish from URLs even when they are encoded, and an empty one changes what is addressed.
        if matches!(*segment, "" | "." | "..") {
            return Err(Error::new(Kind::Invalid, operation).detail("a name in the request cannot be part of a URL"));
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, IN_SEGMENT));
    }
    let mut url = base.clone();
    url.set_path(&path);
    Ok(url)
}

/// A form (`application/x-www-form-urlencoded`), with everything encoded that could be mistaken for its syntax.
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, IN_SEGMENT);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in
            ["https://api.example.com", "http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:1", " https://a "]
        {
            assert!(base(good, "url").is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "api.example.com",
            "https://user:pw@example.com",
            "",
        ] {
            let error = base(bad, "url").unwrap_err();
            assert_eq!(error.kind(), Kind::MalformedSecret, "{bad}");
            assert!(!error.to_string().contains("example.com"), "an address is not for everybody");
        }
    }

    #[test]
    fn names_stay_in_their_segment() {
        let base = base("https://example.com/root/", "url").unwrap();
        let url = below(&base, &["name", "a b/c+d%20;?#ü"], "test").unwrap();
        assert_eq!(url.as_str(), "https://example.com/root/name/a%20b%2Fc%2Bd%2520%3B%3F%23%C3%BC");
        for name in ["", ".", ".."] {
            assert_eq!(below(&base, &["x", name], "test").unwrap_err().kind(), Kind::Invalid);
        }
    }
}
