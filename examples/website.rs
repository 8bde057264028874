//! A control loop for a kind of one's own: each `Website` gets a ConfigMap that it owns, a name at a DNS provider that is
//! taken back before the site goes, and a status. Runs against a control plane in this process and ends by itself.
//!
//! `cargo run --example website`

use std::{collections::BTreeMap, sync::Arc};

use orlop_apiserver::LocalClient;
use orlop_client::{Api, Client};
use orlop_clock::{Random, SystemClock};
use orlop_controller::{Action, Context, Controller, Error, EventType, Life};
use orlop_model::{Message, Object, ObjectMeta, Str, core::v1::ConfigMap};
use orlop_store::MemoryStore;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "example.dev", version = "v1", status)]
struct Website {
    metadata: ObjectMeta,
    spec: WebsiteSpec,
    status: WebsiteStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteSpec {
    host: Str,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteStatus {
    url: Str,
}

/// What no object owns, and so has to be cleaned up: the DNS provider's names, by site.
type Dns = Arc<Mutex<BTreeMap<Str, Str>>>;

/// Makes the world as the site says. Called whenever the site or its ConfigMap has changed.
async fn reconcile(site: Arc<Website>, cx: Context, dns: Dns) -> Result<Action, Error> {
    let (name, host) = (&site.metadata.name, &site.spec.host);
    let take_back = async {
        dns.lock().remove(name);
        Ok(())
    };
    if let Life::Ended = cx.finalize(&*site, "example.dev/dns", take_back).await? {
        return Ok(Action::await_change());
    }
    dns.lock().insert(name.clone(), host.clone());
    let mut config = ConfigMap::default();
    config.metadata.name = name.clone();
    config.data.insert("server_name", host.clone());
    cx.apply(&config).await?;
    let url = Str::from(format!("https://{host}/"));
    if site.status.url != url {
        let message = format!("Site is served at {url}");
        cx.modify_status(&*site, |site| site.status.url = url).await?;
        cx.event(EventType::Normal, "Published", message);
    }
    Ok(Action::await_change())
}

async fn until(mut holds: impl AsyncFnMut() -> Result<bool, Error>) -> Result<(), Error> {
    while !holds().await? {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SystemClock));
    let server = LocalClient::builder(store, clock, Random::new(1)).register::<Website>();
    let client: Arc<dyn Client> = Arc::new(server.build().await?);
    let sites = Api::<Website>::namespaced(client.clone(), "default");
    let configs = Api::<ConfigMap>::namespaced(client.clone(), "default");

    let (dns, stop) = (Dns::default(), CancellationToken::new());
    let names = dns.clone();
    let controller = Controller::new("website", sites.clone()).owns(configs.clone()).stop(stop.clone());
    let running = tokio::spawn(controller.run(move |site, cx| reconcile(site, cx, names.clone())));

    let mut site = Website::default();
    site.metadata.name = "home".into();
    site.spec.host = "example.dev".into();
    sites.create(site).await?;
    until(async || Ok(!sites.get("home").await?.status.url.is_empty())).await?;
    println!("published, names: {:?}", dns.lock());
    configs.delete("home").await?;
    until(async || Ok(configs.get_opt("home").await?.is_some())).await?;
    println!("deleted by hand, made again: {:?}", configs.get("home").await?.data);

    sites.delete("home").await?;
    until(async || Ok(sites.get_opt("home").await?.is_none())).await?;
    println!("the site is gone, names: {:?}", dns.lock());
    stop.cancel();
    running.await.map_err(Error::other)
}
