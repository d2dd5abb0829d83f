//! Which proxy a request goes through: the one that the environment names, and none to this machine.

use reqwest::{NoProxy, Proxy};

use crate::platform::error::{Error, Kind, Result};

/// This machine, in the words of `NO_PROXY`. A credential for it never leaves it.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The proxies that these variables name, the most particular first: `HTTPS_PROXY` and `HTTP_PROXY`, then `ALL_PROXY`, in
/// capitals or not, except for what `NO_PROXY` names.
pub fn named(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Proxy>> {
    let set = |name: &str| variable(name).or_else(|| variable(&name.to_lowercase())).filter(|value| !value.is_empty());
    let excepted = set("NO_PROXY").map_or(LOOPBACK.to_owned(), |more| format!("{LOOPBACK},{more}"));
    let mut proxies = Vec::new();
    for (name, made) in [
        ("HTTPS_PROXY", Proxy::https as fn(String) -> reqwest::Result<Proxy>),
        ("HTTP_PROXY", Proxy::http),
        ("ALL_PROXY", Proxy::all),
    ] {
        let Some(address) = set(name) else { continue };
        // The cause is dropped on purpose: it quotes the address, which may have a password in it.
        let proxy = made(address).map_err(|_| unusable(name))?;
        proxies.push(proxy.no_proxy(NoProxy::from_string(&excepted)));
    }
    Ok(proxies)
}

fn unusable(name: &str) -> Error {
    Error::new(Kind::Unavailable, "set up proxy").detail(format!("the variable {name} is not an address"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::answering;
    use super::*;

    /// What is answered to a request for this address, by the address itself or by the proxy.
    async fn answered(variables: &[(&str, String)], url: &str) -> Option<String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let builder = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(2));
        let builder = named(find).unwrap().into_iter().fold(builder, reqwest::ClientBuilder::proxy);
        builder.build().unwrap().get(url).send().await.ok()?.text().await.ok()
    }

    #[tokio::test]
    async fn this_machine_is_reached_without_a_proxy_and_the_rest_by_it() {
        let (proxy, own) = (answering("by proxy").await, answering("direct").await);
        let port = own.rsplit_once(':').unwrap().1.to_owned();
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let variables = [(name, proxy.clone())];
            for host in ["127.0.0.1", "localhost"] {
                let said = answered(&variables, &format!("http://{host}:{port}/")).await;
                assert_eq!(said.as_deref(), Some("direct"), "{name} {host}");
            }
            let said = answered(&variables, "http://platform.example/").await;
            assert_eq!(said.as_deref(), Some("by proxy"), "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_excepted_goes_without() {
        let proxy = answering("by proxy").await;
        let variables = [("HTTP_PROXY", proxy), ("NO_PROXY", "platform.invalid".to_owned())];
        assert_eq!(answered(&variables, "http://platform.invalid/").await, None, "there is no such host");
        assert_eq!(answered(&variables, "http://other.invalid/").await.as_deref(), Some("by proxy"));
    }

    #[test]
    fn an_address_that_is_none_is_named_and_not_shown() {
        let error = named(|name| (name == "HTTPS_PROXY").then(|| "http://:hunter2 /".to_owned())).unwrap_err();
        assert!(error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("hunter2"), "{error}");
    }
}
