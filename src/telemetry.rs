//! Logs: JSON lines or text, with a floor below which the Kubernetes client is never heard.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Sets up logging for the process. `filter` is a `tracing` filter such as `info` or `info,technical_user_operator=debug`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), ParseError> {
    let filter = with_floor(filter)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}

/// At `warn` the Kubernetes client prints whole answers that it cannot decode, Secrets among them, and HTTP libraries
/// print headers and bodies at `trace`: no filter lowers these floors.
fn with_floor(filter: &str) -> Result<EnvFilter, ParseError> {
    let mut filter = EnvFilter::builder().parse(filter)?;
    for floor in [
        "kube_client=error",
        "kube_runtime=warn",
        "hyper=warn",
        "hyper_util=warn",
        "h2=warn",
        "reqwest=warn",
        "rustls=warn",
        "tower=warn",
    ] {
        filter = filter.add_directive(floor.parse()?);
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_lowers_the_floor_of_the_kubernetes_client() {
        for filter in ["trace", "kube_client=trace", "info,kube_client=debug"] {
            assert!(with_floor(filter).unwrap().to_string().contains("kube_client=error"), "{filter}");
        }
        assert!(with_floor("no such=level=at all").is_err());
    }
}
