//! The operator: flags, clients, leader, controllers, and a graceful end. It decides nothing.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures::FutureExt;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client, Config, ResourceExt};
use technical_user_operator::api::{GROUP, OPERATOR};
use technical_user_operator::args::Args;
use technical_user_operator::controller::connections::{Connections, Outside};
use technical_user_operator::controller::event::Publisher;
use technical_user_operator::controller::leader::Contender;
use technical_user_operator::controller::secret::written::Written;
use technical_user_operator::controller::sources::Sources;
use technical_user_operator::controller::technical_user::moment;
use technical_user_operator::controller::turns::Turns;
use technical_user_operator::controller::watches::{self, Shutdown};
use technical_user_operator::controller::workloads::Workloads;
use technical_user_operator::controller::{
    Context, index::Index, orders::Orders, overlaps::Overlaps, retry::Retries, rules::Rules,
};
use technical_user_operator::metrics::Metrics;
use technical_user_operator::plan::rollout::Margins;
use technical_user_operator::platform::Accounts;
use technical_user_operator::platform::budget::CallObserver;
use technical_user_operator::platform::pause::pause;
use technical_user_operator::server::{self, Readiness};
use technical_user_operator::telemetry;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Shorter than the 30 seconds that a pod is given to end.
const GRACE: Duration = Duration::from_secs(20);
/// How long tasks that nobody waits for may take to be dropped.
const DROPPING: Duration = Duration::from_secs(2);
/// How long giving up the lease may take. It expires by itself after some more.
const RESIGNING: Duration = Duration::from_secs(3);

type Failure = Box<dyn Error + Send + Sync>;

/// How the work ended.
#[derive(PartialEq, Eq)]
enum End {
    /// It had not begun.
    Idle,
    /// All reconciles were finished.
    Finished,
    /// Some were cut off; what they sent may still have its effect.
    CutOff,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::start(args.log_format, &args.log) {
        eprintln!("--log: {error}");
        return ExitCode::FAILURE;
    }
    match work(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs, and gives up the lease when nothing of the work is left: not even a task that outlived whoever began it.
fn work(args: &Args) -> Result<(), Failure> {
    let me = args.name.clone().unwrap_or_else(|| format!("{OPERATOR}-{:08x}", rand::random::<u32>()));
    let runtime = Runtime::new()?;
    let end = runtime.block_on(run(args, &me));
    runtime.shutdown_timeout(DROPPING);
    if end? == End::Finished && args.leader_elect {
        Builder::new_current_thread().enable_all().build()?.block_on(resign(args, me));
    }
    Ok(())
}

async fn resign(args: &Args, me: String) {
    let resigned = async {
        // The clients of the work have ended with it.
        let (client, _) = clients().await?;
        Contender::new(client, &args.namespace, me, now).resign().await;
        Ok::<(), Failure>(())
    };
    if !matches!(tokio::time::timeout(RESIGNING, resigned).await, Ok(Ok(()))) {
        tracing::warn!("the lease was not given up; it expires by itself");
    }
}

/// Serves, waits to be ready and to lead, and runs the controllers until a signal comes.
async fn run(args: &Args, me: &str) -> Result<End, Failure> {
    let (calling, watching) = clients().await?;
    let metrics = Metrics::new();
    let readiness = Readiness::default();
    let serving = tokio::spawn(server::serve(args.http_address, Arc::clone(&metrics), readiness.clone()));
    let ended = ended()?;
    let work = async {
        let our_turn = async {
            known(&calling).await?;
            readiness.set();
            if args.leader_elect {
                lead(args, me, calling.clone()).await;
            }
            Ok::<(), Failure>(())
        };
        tokio::select! {
            come = our_turn => come?,
            // Asked to end while it waits, it has nothing under way.
            () = ended.clone() => return Ok(End::Idle),
        }
        reconcile(args, me.to_owned(), calling.clone(), watching, metrics, ended.clone()).await
    };
    tokio::select! {
        done = work => done,
        served = serving => Err(served?.err().map_or("the server ended".into(), Into::into)),
    }
}

/// Returns once the lease is ours. From then on this process ends by itself, whatever it is doing, when the lease is lost:
/// what it has not begun does not begin, and it gives up nothing that is not its own.
async fn lead(args: &Args, me: &str, client: Client) {
    let mut contender = Contender::new(client, &args.namespace, me.to_owned(), now);
    contender.lead().await;
    tokio::spawn(async move {
        contender.hold().await;
        tracing::error!("the lease was lost; ending at once, so that no two lead");
        std::process::exit(1);
    });
}

/// The client for calls, bounded in time, and the one for watches, which are quiet for long.
async fn clients() -> Result<(Client, Client), Failure> {
    let mut config = Config::infer().await?;
    let watching = Client::try_from(config.clone())?;
    config.read_timeout = Some(Duration::from_secs(30));
    Ok((Client::try_from(config)?, watching))
}

/// Waits until the API server knows our kinds.
async fn known(client: &Client) -> Result<(), Failure> {
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
) -> Result<End, Failure> {
    let kube_system = Api::<Namespace>::all(client.clone()).get("kube-system").await?;
    let (stores, wake, wiring) = watches::wire();
    let observer: Arc<dyn CallObserver> = Arc::<Metrics>::clone(&metrics);
    let context = Context {
        events: Publisher::new(client.clone(), me, now),
        client,
        watching,
        cluster: kube_system.uid().ok_or("kube-system has no uid")?,
        namespace: args.namespace.clone(),
        connections: Connections::default(),
        outside: Arc::new(Outside { accounts: Accounts::default(), observer }),
        stores,
        index: Index::default(),
        turns: Turns::new(usize::from(args.concurrency), wake.clone()),
        wake,
        rules: Rules::default(),
        orders: Orders::new(args.order_limit),
        overlaps: Overlaps::default(),
        workloads: Workloads::default(),
        margins: Margins { clocks: args.node_clock_margin, sync: args.kubelet_sync, ..Margins::default() },
        versions: Arc::default(),
        sources: Sources::default(),
        written: Written::default(),
        retries: Retries::default(),
        metrics,
        now,
    };
    let context = Arc::new(context);
    let users = context.stores.technical_users.clone();
    context.metrics.counted_by(move || moment::of(&users, now()));
    let controllers = watches::run(context, wiring, args.concurrency, ended.clone());
    let overdue = ended.then(|()| pause(GRACE));
    tokio::select! {
        () = controllers => {
            tracing::info!("ended");
            Ok(End::Finished)
        }
        () = overdue => {
            tracing::warn!("ended with reconciles under way");
            Ok(End::CutOff)
        }
    }
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
