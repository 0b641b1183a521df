//! `muster up`: all services in one process, or those named.

use crate::{exit, once, terminal};
use anyhow::{Context, Result};
use axum::Router;
use clap::ValueEnum;
use muster_advisories_service::{self as advisories, Advisories};
use muster_aws::{Aws, AwsOptions};
use muster_discovery_service::{self as discovery, Discovery};
use muster_gateway_service::{self as gateway, Access, Gateway, guard};
use muster_inventory_service::{self as inventory, Inventory};
use muster_kit::{BackendOptions, Backends, Round, Stop, TelemetryOptions};
use muster_matching_service::{self as matching, Matching};
use muster_publishing_service::{self as publishing, Publishing};
use muster_scoring_service::{self as scoring, Scoring};
use muster_wire::FILE_DESCRIPTOR_SET;
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tonic::service::Routes;
use tracing::info;

/// The settings of `muster up`. docs/settings.md is the table of all of them.
#[derive(clap::Args)]
pub struct Arguments {
    /// The services to run, separated by commas. Without it all of them.
    #[arg(long, env = "MUSTER_SERVICES", value_delimiter = ',', value_enum)]
    services: Vec<Service>,
    /// End after the first complete pass, with a table of findings.
    #[arg(long)]
    once: bool,
    /// Where to listen. Beyond loopback only with keys set.
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:7080")]
    listen: SocketAddr,
    #[command(flatten)]
    backends: BackendOptions,
    #[command(flatten)]
    telemetry: TelemetryOptions,
    #[command(flatten)]
    aws: AwsOptions,
    #[command(flatten)]
    discovery: discovery::Config,
    #[command(flatten)]
    inventory: inventory::Config,
    #[command(flatten)]
    advisories: advisories::Config,
    #[command(flatten)]
    matching: matching::Config,
    #[command(flatten)]
    scoring: scoring::Config,
    #[command(flatten)]
    publishing: publishing::Config,
    #[command(flatten)]
    gateway: gateway::Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Service {
    Discovery,
    Inventory,
    Advisories,
    Matching,
    Scoring,
    Publishing,
    Gateway,
}

/// Services that have started: their routes, and their `run`s as tasks.
struct Started {
    routes: Routes,
    pages: Router,
    /// Rounds of those services that bring the work in.
    rounds: Vec<watch::Receiver<Round>>,
    tasks: JoinSet<Result<()>>,
}

pub async fn run(mut arguments: Arguments) -> Result<u8> {
    if arguments.once {
        arguments.telemetry.log.get_or_insert_with(|| "warn".to_owned()); // the progress line tells the rest
    }
    let _telemetry = muster_kit::init_telemetry(&arguments.telemetry)?;
    let access = Access::new(&arguments.gateway, arguments.listen)?;
    let listener =
        TcpListener::bind(arguments.listen).await.with_context(|| format!("listen on {}", arguments.listen))?;
    let address = listener.local_addr().context("read the address listened on")?;
    let stop = muster_kit::stop_on_signal();
    let backends = tokio::select! {
        backends = arguments.backends.connect() => backends?,
        () = stop.cancelled() => return Ok(exit::GOOD),
    };
    let services: BTreeSet<Service> = match arguments.services.as_slice() {
        [] => Service::value_variants().iter().copied().collect(),
        named => named.iter().copied().collect(),
    };
    let Started { routes, pages, rounds, mut tasks } = start(&arguments, &services, &backends, &stop).await?;
    let doors = routes
        .into_axum_router()
        .merge(pages)
        .merge(muster_kit::observability_router())
        .fallback(gateway::unknown)
        .method_not_allowed_fallback(gateway::unknown)
        .layer(axum::middleware::from_fn_with_state(access, guard));
    tasks.spawn(muster_kit::serve_grpc(listener, doors, stop.clone()));
    // The one line on stdout of a system that stays: others read the port from it.
    if !arguments.once {
        let _ = terminal::print(&format!("muster listens on http://{address}")); // whoever closed it has read enough
    }
    info!(%address, ?services, "up");

    let outcome = tokio::select! {
        Some(ended) = tasks.join_next() => ended.context("a service panicked")?.map(|()| exit::GOOD),
        code = once::complete(&backends, rounds, &arguments.publishing), if arguments.once => code,
    };
    stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.context("a service panicked")??;
    }
    outcome
}

async fn start(
    arguments: &Arguments,
    services: &BTreeSet<Service>,
    backends: &Backends,
    stop: &Stop,
) -> Result<Started> {
    let (mut routes, _health) = muster_kit::base_routes(&[FILE_DESCRIPTOR_SET])?;
    let mut pages = Router::new();
    let mut rounds = Vec::new();
    let mut tasks = JoinSet::new();
    let needs_aws = [Service::Discovery, Service::Inventory, Service::Publishing];
    let aws = if needs_aws.iter().any(|service| services.contains(service)) {
        Some(Aws::connect(&arguments.aws, Arc::clone(&backends.cache)).await.context("connect to AWS")?)
    } else {
        None
    };
    let aws = || aws.clone().expect("connected above for each service that asks here");
    // The consumers before the producers, so that nothing is told before somebody listens.
    for service in services.iter().rev() {
        let stop = stop.clone();
        let backends = backends.clone();
        match service {
            Service::Gateway => {
                let gateway = Gateway::start(backends.clone()).await.context("start gateway")?;
                routes = routes
                    .add_service(gateway.finding_questions().into_service())
                    .add_service(gateway.status_questions().into_service());
                // What needs no more than store and bus is answered at the door too.
                if !services.contains(&Service::Inventory) {
                    let questions = inventory::Questions::new(backends.store.clone(), Arc::clone(&backends.bus));
                    routes = routes.add_service(questions.into_service());
                }
                if !services.contains(&Service::Publishing) {
                    let sinks = arguments.publishing.sinks.clone();
                    let questions =
                        publishing::Questions::new(backends.store.clone(), Arc::clone(&backends.bus), sinks);
                    routes = routes.add_service(questions.into_service());
                }
                if !services.contains(&Service::Matching) {
                    routes = routes.add_service(matching::NetworkQuestions::new(backends.store.clone()).into_service());
                }
                pages = gateway.router();
            }
            Service::Publishing => {
                let publishing = Publishing::start(backends, aws(), arguments.publishing.clone()).await;
                let publishing = publishing.context("start publishing")?;
                routes = routes.add_service(publishing.questions().into_service());
                tasks.spawn(async move { publishing.run(stop).await.context("run publishing") });
            }
            Service::Scoring => {
                let scoring = Scoring::start(backends, arguments.scoring.clone()).await.context("start scoring")?;
                routes = routes.add_service(scoring.questions().into_service());
                tasks.spawn(async move { scoring.run(stop).await.context("run scoring") });
            }
            Service::Matching => {
                routes = routes.add_service(matching::NetworkQuestions::new(backends.store.clone()).into_service());
                let matching = Matching::start(backends, arguments.matching.clone()).await.context("start matching")?;
                routes = routes.add_service(matching.questions().into_service());
                tasks.spawn(async move { matching.run(stop).await.context("run matching") });
            }
            Service::Advisories => {
                let advisories =
                    Advisories::start(backends, arguments.advisories.clone()).await.context("start advisories")?;
                rounds.push(advisories.rounds());
                routes = routes.add_service(advisories.questions().into_service());
                tasks.spawn(async move { advisories.run(stop).await.context("run advisories") });
            }
            Service::Inventory => {
                let inventory = Inventory::start(backends, aws(), arguments.inventory.clone()).await;
                let inventory = inventory.context("start inventory")?;
                routes = routes.add_service(inventory.questions().into_service());
                tasks.spawn(async move { inventory.run(stop).await.context("run inventory") });
            }
            Service::Discovery => {
                let discovery = Discovery::start(backends, aws(), arguments.discovery.clone()).await;
                let discovery = discovery.context("start discovery")?;
                rounds.push(discovery.rounds());
                routes = routes.add_service(discovery.questions().into_service());
                tasks.spawn(async move { discovery.run(stop).await.context("run discovery") });
            }
        }
    }
    Ok(Started { routes, pages, rounds, tasks })
}
