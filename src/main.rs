//! The operator: flags, clients, leader, controllers, and a graceful end. It decides nothing.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures::{FutureExt, future};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client, Config, ResourceExt};
use technical_user_operator::api::{GROUP, OPERATOR};
use technical_user_operator::args::Args;
use technical_user_operator::controller::event::Publisher;
use technical_user_operator::controller::leader::Contender;
use technical_user_operator::controller::secret::written::Written;
use technical_user_operator::controller::watches::{self, Shutdown};
use technical_user_operator::controller::{Context, connections::Connections, index::Index, retry::Retries};
use technical_user_operator::metrics::Metrics;
use technical_user_operator::platform::Accounts;
use technical_user_operator::platform::pause::pause;
use technical_user_operator::server::{self, Readiness};
use technical_user_operator::telemetry;
use tokio::signal::unix::{SignalKind, signal};

/// Shorter than the 30 seconds that a pod is given to end.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::start(args.log_format, &args.log) {
        eprintln!("--log: {error}");
        return ExitCode::FAILURE;
    }
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves, waits to be ready and to lead, and runs the controllers until a signal comes or the lease is lost.
async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let (calling, watching) = clients().await?;
    let metrics = Metrics::new();
    let readiness = Readiness::default();
    let serving = tokio::spawn(server::serve(args.http_address, Arc::clone(&metrics), readiness.clone()));
    let ended = ended()?;
    let me = args.name.clone().unwrap_or_else(|| format!("{OPERATOR}-{:08x}", rand::random::<u32>()));
    let mut contender = Contender::new(calling.clone(), &args.namespace, me.clone(), now);
    let work = async {
        let our_turn = async {
            known(&calling).await?;
            readiness.set();
            if args.leader_elect {
                contender.lead().await;
            }
            Ok::<(), Box<dyn Error>>(())
        };
        tokio::select! {
            come = our_turn => come?,
            // Asked to end while it waits, it has nothing under way.
            () = ended.clone() => return Ok(()),
        }
        let leading = async { if args.leader_elect { contender.hold().await } else { future::pending().await } };
        let work = reconcile(&args, me, calling.clone(), watching, metrics, ended.clone());
        tokio::select! {
            done = work => done,
            () = leading => Err("the lease was lost; ending at once, so that no two lead".into()),
        }
    };
    let result = tokio::select! {
        done = work => done,
        served = serving => Err(served?.err().map_or("the server ended".into(), Into::into)),
    };
    if args.leader_elect {
        contender.resign().await;
    }
    result
}

/// The client for calls, bounded in time, and the one for watches, which are quiet for long.
async fn clients() -> Result<(Client, Client), Box<dyn Error>> {
    let mut config = Config::infer().await?;
    let watching = Client::try_from(config.clone())?;
    config.read_timeout = Some(Duration::from_secs(30));
    Ok((Client::try_from(config)?, watching))
}

/// Waits until the API server knows our kinds.
async fn known(client: &Client) -> Result<(), Box<dyn Error>> {
    loop {
        let group = client.list_api_groups().await?.groups.into_iter().any(|group| group.name == GROUP);
        if group && client.list_api_group_resources(&format!("{GROUP}/v1alpha1")).await?.resources.len() >= 3 {
            return Ok(());
        }
        tracing::info!("waiting for the custom resource definitions to be installed");
        pause(Duration::from_secs(2)).await;
    }
}

async fn reconcile(
    args: &Args,
    me: String,
    client: Client,
    watching: Client,
    metrics: Arc<Metrics>,
    ended: Shutdown,
) -> Result<(), Box<dyn Error>> {
    let kube_system = Api::<Namespace>::all(client.clone()).get("kube-system").await?;
    let (stores, wake, wiring) = watches::wire();
    let context = Context {
        events: Publisher::new(client.clone(), me, now),
        client,
        cluster: kube_system.uid().ok_or("kube-system has no uid")?,
        namespace: args.namespace.clone(),
        connections: Connections::default(),
        accounts: Accounts::default(),
        stores,
        index: Index::default(),
        wake,
        written: Written::default(),
        retries: Retries::default(),
        metrics,
        now,
    };
    let controllers = watches::run(Arc::new(context), wiring, watching, args.concurrency, ended.clone());
    let overdue = ended.then(|()| pause(GRACE));
    tokio::select! {
        () = controllers => tracing::info!("ended"),
        () = overdue => tracing::warn!("ended with reconciles under way"),
    }
    Ok(())
}

/// The clock; everything else is given it.
#[expect(clippy::disallowed_methods, reason = "this is where the clock is picked")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Resolves at SIGTERM or SIGINT.
fn ended() -> std::io::Result<Shutdown> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ended = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(ended.boxed().shared())
}
