//! A whole control plane in one process: store, controllers, scheduler and nodes, real or simulated.
//!
//! Without arguments it tells a story of real processes: made from the program itself, served, crashed, rolled out,
//! deleted, and an audit of what is left. That needs Linux, but not root: an ordinary user gets namespaces in which it is
//! root, where the kernel allows that. Where it doesn't, and with `--nodes sim:4`, nodes are simulated, and the story is
//! told on the manifests in `examples/manifests/`. The exit code says whether every assertion of the story held.
//!
//! `cargo run --release --example cluster -- --help`

#[cfg(target_os = "linux")]
mod audit;
#[cfg(target_os = "linux")]
mod linux;
mod load;
mod output;
#[cfg(target_os = "linux")]
mod payload;
mod record;
mod story;
mod yours;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use orlop_clock::TokioClock;
use orlop_cluster::Cluster;

use crate::output::Output;
use crate::record::Record;

/// A control plane in one process, with nodes that run processes of this machine, or simulated ones.
///
/// With simulated nodes time is virtual: what waits for a minute in the story takes no time at all, and the same seed gives
/// the same story again, event for event.
#[derive(Debug, Parser)]
#[command(name = "cluster", version)]
struct Arguments {
    /// Apply this file, or all manifests of this folder, instead of telling the story; can be given several times
    #[arg(short, long = "file", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Which nodes: sim:N for N simulated ones; linux:N for N that run processes of this machine, as root or, in namespaces
    /// of its own, as anybody. By default linux:2 where possible, otherwise and with --file, --pods, --record or --keep
    /// sim:4
    #[arg(long, value_name = "sim:N|linux:N", value_parser = nodes)]
    nodes: Option<Nodes>,

    /// Only look for what any run with linux:N has left on this machine, and fail if there is something
    #[arg(long, conflicts_with_all = ["files", "nodes", "pods", "record", "keep"])]
    audit: bool,

    /// Bring this many pods to Running instead of telling the story, and say what it took
    #[arg(long, value_name = "N", conflicts_with = "files")]
    pods: Option<usize>,

    /// With --pods: fail if it takes more seconds than this, of the real clock
    #[arg(long, value_name = "SECONDS", requires = "pods")]
    within: Option<u64>,

    /// With --pods: fail if the process ever holds more memory than this, in MiB
    #[arg(long, value_name = "MIB", requires = "pods")]
    memory: Option<u64>,

    /// The seed of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Keep the cluster when done, in real time, until Ctrl-C
    #[arg(long)]
    keep: bool,

    /// Write every change of every object to this file, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "pods")]
    record: Option<PathBuf>,

    /// Say only what is done and whether it held
    #[arg(long)]
    quiet: bool,
}

/// Nodes of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nodes {
    /// Simulated ones.
    Sim(usize),
    /// Such as run processes of this machine.
    Linux(usize),
}

fn nodes(text: &str) -> Result<Nodes, String> {
    let (sort, count) = text.split_once(':').unwrap_or((text, "2"));
    let most = match sort {
        "sim" => 20_000,
        "linux" if cfg!(target_os = "linux") => 100,
        "linux" => return Err("this is not Linux".to_owned()),
        _ => return Err("known are sim:N and linux:N".to_owned()),
    };
    match count.parse() {
        Ok(count) if (1..=most).contains(&count) => {
            Ok(if sort == "sim" { Nodes::Sim(count) } else { Nodes::Linux(count) })
        }
        _ => Err(format!("{count:?} is not a number of nodes from 1 to {most}")),
    }
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = payload::play() {
        return code;
    }
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    #[cfg(target_os = "linux")]
    if arguments.audit {
        return if audit::run(&Output::new(arguments.quiet)) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    #[cfg(not(target_os = "linux"))]
    if arguments.audit {
        eprintln!("error: this is not Linux");
        return ExitCode::FAILURE;
    }
    let nodes = match choose(&arguments) {
        Ok(nodes) => nodes,
        Err(code) => return code,
    };
    let runtime = match nodes {
        // One thread and paused time: everything happens in one order, and waiting costs nothing.
        Nodes::Sim(_) => {
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
        }
        Nodes::Linux(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    match runtime {
        Ok(runtime) => runtime.block_on(run(nodes, arguments)),
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The nodes that are asked for, or the best that there can be; or the exit code of the process that does the work.
///
/// There must be no thread yet: without root, Linux nodes live in namespaces into which the program is started once more.
fn choose(arguments: &Arguments) -> Result<Nodes, ExitCode> {
    let told = arguments.pods.is_none()
        && arguments.files.is_empty()
        && arguments.record.is_none()
        && !arguments.keep;
    let count = match arguments.nodes {
        Some(Nodes::Sim(count)) => return Ok(Nodes::Sim(count)),
        Some(Nodes::Linux(_)) if !told => {
            eprintln!("error: Linux nodes tell their own story: without --file, --pods, --record and --keep");
            return Err(ExitCode::from(2));
        }
        Some(Nodes::Linux(count)) => Some(count),
        None if !told => return Ok(Nodes::Sim(4)),
        None => None,
    };
    #[cfg(target_os = "linux")]
    let why = match linux::enter() {
        Ok(None) => return Ok(Nodes::Linux(count.unwrap_or(2))),
        Ok(Some(code)) => return Err(code),
        Err(why) => why.to_string(),
    };
    #[cfg(not(target_os = "linux"))]
    let why = "this is not Linux".to_owned();
    if count.is_some() {
        eprintln!("error: no Linux nodes: {why}");
        return Err(ExitCode::FAILURE);
    }
    println!("simulated nodes, because there can be no Linux nodes: {why}");
    Ok(Nodes::Sim(4))
}

async fn run(nodes: Nodes, arguments: Arguments) -> ExitCode {
    let output = Output::new(arguments.quiet);
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c(), if matches!(nodes, Nodes::Sim(_)) => {
            output.say("interrupted: everything has been stopped");
            ExitCode::from(130)
        }
        result = work(nodes, &arguments, &output) => match result {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

type Anything = Box<dyn std::error::Error>;

async fn work(nodes: Nodes, arguments: &Arguments, output: &Output) -> Result<bool, Anything> {
    let nodes = match nodes {
        Nodes::Sim(count) => count,
        #[cfg(target_os = "linux")]
        Nodes::Linux(count) => return linux::tell(count, arguments.seed, output).await,
        #[cfg(not(target_os = "linux"))]
        Nodes::Linux(_) => return Err("this is not Linux".into()),
    };
    let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse()?));
    let cluster = Cluster::builder(clock).seed(arguments.seed);
    if let Some(pods) = arguments.pods {
        let limits = load::Limits { seconds: arguments.within, mebibytes: arguments.memory };
        return load::run(cluster, output, nodes, pods, &limits).await;
    }
    let cluster = cluster.nodes(nodes).start().await?;
    output.begin();
    let file = arguments.record.as_ref().map(std::fs::File::create).transpose()?.map(std::io::BufWriter::new);
    let record = Record::start(&cluster, file);
    let held = if arguments.files.is_empty() {
        story::tell(&cluster, output).await?
    } else {
        yours::run(&cluster, output, &arguments.files).await?
    };
    output.say(&record.summary());
    if arguments.keep {
        output.say("the cluster goes on; Ctrl-C stops it");
        tokio::time::resume();
        std::future::pending::<()>().await;
    }
    cluster.stop().await;
    Ok(held)
}
