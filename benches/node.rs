//! Pods as processes: from the API object to Ready and from its deletion to nothing, one at a time and fifty at once, through
//! an agent with a control plane in the same process; and what the process holds in memory for each of them. CPU time is
//! that of this process, agent and control plane together.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::Ipv4Addr;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use orlop_apiserver::LocalClient;
    use orlop_benches::{Bench, CpuClock};
    use orlop_cache::Informer;
    use orlop_client::{Api, Client, DeleteOptions};
    use orlop_clock::{Clock, Random, TokioClock};
    use orlop_image::{Builder, Reference, Store, StoreOptions};
    use orlop_model::core::v1::Pod;
    use orlop_node::linux::{LinuxConfig, LinuxRuntime};
    use orlop_node::{Agent, AgentConfig, NodeConfig, Recover};
    use orlop_store::MemoryStore;
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    type Failure = Box<dyn std::error::Error + Send + Sync>;

    /// The time that programs get to begin.
    const SETTLE: Duration = Duration::from_millis(500);
    /// The longest that pods may take.
    const LIMIT: Duration = Duration::from_secs(60);

    pub(crate) fn main() -> std::io::Result<()> {
        let mut bench = Bench::new("node");
        let is_root =
            std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        if !is_root {
            #[allow(clippy::print_stdout, reason = "what is left out is told on the standard output")]
            {
                assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "needs root");
                println!("skipped: needs root");
            }
            return bench.finish();
        }
        let folder = std::env::temp_dir().join(format!("orlop-bench-node-{}", std::process::id()));
        let runtime = tokio::runtime::Runtime::new()?;
        let done = runtime.block_on(measure(&mut bench, &folder));
        std::fs::remove_dir_all(&folder)?;
        done.map_err(std::io::Error::other)?;
        bench.finish()
    }

    /// Bytes of this process's memory that belong to it alone.
    fn memory() -> Result<f64, Failure> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1024.0)
    }

    fn pod(name: &str) -> Result<Pod, Failure> {
        // It ends when it is asked to; the grace only says that it is asked.
        let script = "trap 'exit 0' TERM; sleep 1000 & wait";
        let container = json!({"name": "c", "image": "tools:1", "command": ["/bin/sh", "-c", script]});
        Ok(serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 5, "containers": [container]},
        }))?)
    }

    fn is_ready(pod: &Pod) -> bool {
        pod.status.conditions.iter().any(|of| of.type_ == *"Ready" && of.status == *"True")
    }

    /// Waits until it holds for every pod of these names.
    async fn all(
        pods: &Api<Pod>,
        names: &[String],
        holds: impl Fn(Option<&Pod>) -> bool,
    ) -> Result<(), Failure> {
        let begin = Instant::now();
        for name in names {
            while !holds(pods.get_opt(name.as_str()).await?.as_deref()) {
                if begin.elapsed() > LIMIT {
                    return Err(format!("{name} takes too long").into());
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Ok(())
    }

    /// Makes pods at once, and removes them. Answers the time until all were ready and until all were gone, and what
    /// memory grew by while they ran.
    async fn cycle(pods: &Api<Pod>, names: &[String]) -> Result<(Duration, Duration, f64), Failure> {
        let (begin, before) = (Instant::now(), memory()?);
        for name in names {
            pods.create(&pod(name)?).await?;
        }
        all(pods, names, |pod| pod.is_some_and(is_ready)).await?;
        let (up, grown) = (begin.elapsed(), memory()? - before);
        // Ready does not mean that the shell has come to its first line; before that it hears nothing.
        tokio::time::sleep(SETTLE).await;
        let begin = Instant::now();
        for name in names {
            pods.delete_with(name.as_str(), &DeleteOptions::new()).await?;
        }
        all(pods, names, |pod| pod.is_none()).await?;
        Ok((up, begin.elapsed(), grown))
    }

    async fn measure(bench: &mut Bench, folder: &Path) -> Result<(), Failure> {
        let node = format!("bench-{}", std::process::id());
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse()?));
        let store = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(store, Arc::clone(&clock), Random::new(1)).build().await?;
        let client: Arc<dyn Client> = Arc::new(local);
        let images = Store::open(folder.join("images"), StoreOptions::default())?;
        Builder::new()
            .executable("/bin/sh", "/bin/sh")?
            .executable("/bin/sleep", "/bin/sleep")?
            .build(&images, &Reference::parse("tools:1")?)?;
        let config = LinuxConfig::new(node, folder.join("node"), (Ipv4Addr::new(10, 249, 0, 0), 24))?;
        let linux = LinuxRuntime::new(config, images, Arc::clone(&clock), Random::new(2))?;

        let stop = CancellationToken::new();
        let informer = Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build();
        let by_node = informer.index(|pod: &Pod| pod.spec.node_name.clone());
        let running = informer.spawn(stop.clone());
        let mut about = NodeConfig::new("n1");
        about.addresses.push("192.168.0.1".parse()?);
        let runtime = Arc::new(linux.clone());
        let agent = Agent::new(about, Arc::clone(&client), runtime, by_node, clock, Random::new(3))
            .config(AgentConfig { recover: Recover::Remove, ..AgentConfig::default() });
        let token = stop.clone();
        let agent = tokio::spawn(async move { agent.run(token).await });

        let pods = Api::<Pod>::namespaced(client, "default");
        let done = figures(bench, &pods).await;
        stop.cancel();
        agent.await??;
        drop(running);
        linux.remove_all().await?;
        let left = linux.audit().await?;
        done?;
        if left.is_empty() { Ok(()) } else { Err(format!("left over: {left:?}").into()) }
    }

    async fn figures(bench: &mut Bench, pods: &Api<Pod>) -> Result<(), Failure> {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        cycle(pods, &["first".to_owned()]).await?;
        let times = bench.size(5, 30);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let start = CpuClock::now();
        for number in 0..times {
            let (ready, gone, _) = cycle(pods, &[format!("one-{number}")]).await?;
            up.push(ready);
            down.push(gone);
        }
        let spent = millis(start.elapsed()) / times as f64;
        up.sort_unstable();
        down.sort_unstable();
        bench.row("1 pod, created to Ready: wall p50", millis(up[times / 2]), "ms", &[]);
        bench.row("1 pod, deleted to gone: wall p50", millis(down[times / 2]), "ms", &[]);
        bench.row("1 pod, both: CPU", spent, "ms", &[]);

        let count = 50;
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut grown = 0.0;
        let start = CpuClock::now();
        let times = bench.size(1, 5);
        for round in 0..times {
            let names: Vec<String> = (0..count).map(|number| format!("all-{round}-{number}")).collect();
            let (ready, gone, more) = cycle(pods, &names).await?;
            up.push(ready);
            down.push(gone);
            // Later rounds find memory that earlier ones have given back to the allocator.
            if round == 0 {
                grown = more;
            }
        }
        let spent = millis(start.elapsed()) / (times * count) as f64;
        up.sort_unstable();
        down.sort_unstable();
        bench.row("50 pods at once, created to all Ready: wall", millis(up[times / 2]), "ms", &[]);
        bench.row("50 pods at once, deleted to all gone: wall", millis(down[times / 2]), "ms", &[]);
        bench.row("50 pods at once, both: CPU per pod", spent, "ms", &[]);
        bench.row(
            "memory per pod, agent and control plane",
            grown / f64::from(count as u32) / 1024.0,
            "KiB",
            &[],
        );
        Ok(())
    }
}
