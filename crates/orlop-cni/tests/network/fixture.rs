//! A host in a namespace of its own, containers, and sockets in them.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use orlop_cni::{Attachment, Builder, Cni, CniResult, NetworkList};
use orlop_netlink::{Address, Batch, Error, LinkChange, Netns, Rtnl, Veth, sysctl};

/// How long the kernel may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A folder of the test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("orlop-cni-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Host {
    pub(crate) netns: Arc<Netns>,
    pub(crate) folder: Folder,
}

/// None where namespaces cannot be made.
pub(crate) fn host() -> Option<Host> {
    match Netns::create() {
        Ok(netns) => {
            up(&netns);
            Some(Host { netns: Arc::new(netns), folder: Folder::new() })
        }
        Err(error) => {
            let why = format!("needs network namespaces: {error}");
            assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "{why}");
            #[expect(clippy::print_stderr, reason = "a test says why it is left out")]
            {
                eprintln!("skipped: {why}");
            }
            None
        }
    }
}

/// Switches loopback on.
pub(crate) fn up(netns: &Netns) {
    netns
        .run(|| {
            let mut batch = Batch::new();
            batch.change_link(1, &LinkChange { up: Some(true), ..LinkChange::default() })?;
            Rtnl::open()?.run(batch)
        })
        .unwrap();
}

impl Host {
    pub(crate) fn builder(&self) -> Builder {
        Cni::builder(self.folder.path().join("state")).host(Arc::clone(&self.netns))
    }

    pub(crate) fn cni(&self) -> Cni {
        self.builder().build().unwrap()
    }

    /// A namespace beside the host, with an address of the same network and no route to any container.
    pub(crate) fn outside(&self, here: &str, there: &str) -> Netns {
        let outside = Netns::create().unwrap();
        up(&outside);
        let (here, there) = (here.parse().unwrap(), there.parse().unwrap());
        let address = |netns: &Netns, name: &str, net| {
            netns
                .run(|| {
                    let mut rtnl = Rtnl::open()?;
                    let link = rtnl.link(name)?.expect("just made").index;
                    let mut batch = Batch::new();
                    batch.change_link(link, &LinkChange { up: Some(true), ..LinkChange::default() })?;
                    batch.add_address(&Address { link, net });
                    rtnl.run(batch)
                })
                .unwrap();
        };
        let mut batch = Batch::new();
        batch.add_veth(&Veth { peer_netns: Some(&outside), ..Veth::new("wan0", "wan0") }).unwrap();
        Rtnl::open_in(&self.netns).unwrap().run(batch).unwrap();
        address(&self.netns, "wan0", here);
        address(&outside, "wan0", there);
        outside
    }
}

pub(crate) fn bridge(more: &str) -> NetworkList {
    let text = format!(
        r#"{{"cniVersion": "1.1.0", "name": "pods", "plugins": [
            {{"type": "loopback"}},
            {{"type": "bridge", "bridge": "pods0", "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
              "ipam": {{"type": "host-local", "subnet": "10.1.0.0/24"}}}}{more}]}}"#
    );
    NetworkList::parse(&text).unwrap()
}

pub(crate) fn with_ports() -> NetworkList {
    bridge(r#", {"type": "portmap", "capabilities": {"portMappings": true}}"#)
}

/// A container that is attached.
pub(crate) struct Pod {
    pub(crate) netns: Arc<Netns>,
    pub(crate) attachment: Attachment,
    pub(crate) result: CniResult,
}

impl Pod {
    pub(crate) fn ip(&self) -> IpAddr {
        self.result.addresses().find(|net| !net.addr().is_loopback()).expect("an address").addr()
    }
}

pub(crate) fn attachment(id: &str) -> (Arc<Netns>, Attachment) {
    let netns = Arc::new(Netns::create().unwrap());
    let attachment = Attachment::new(id, "eth0").in_namespace(Arc::clone(&netns));
    (netns, attachment)
}

pub(crate) fn pod(cni: &Cni, list: &NetworkList, id: &str) -> Pod {
    pod_with(cni, list, id, |attachment| attachment)
}

pub(crate) fn pod_with(
    cni: &Cni,
    list: &NetworkList,
    id: &str,
    with: impl FnOnce(Attachment) -> Attachment,
) -> Pod {
    let (netns, attachment) = attachment(id);
    let attachment = with(attachment);
    let result = cni.add(list, &attachment).unwrap();
    Pod { netns, attachment, result }
}

/// A server of one connection, that answers with the address that it sees.
pub(crate) struct Server(JoinHandle<Option<IpAddr>>);

impl Server {
    pub(crate) fn tcp(netns: &Netns, at: SocketAddr) -> Self {
        let listener = netns.run(|| Ok::<_, Error>(TcpListener::bind(at).unwrap())).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(thread::spawn(move || {
            let deadline = std::time::Instant::now() + PATIENCE;
            loop {
                match listener.accept() {
                    Ok((mut stream, from)) => {
                        stream.set_nonblocking(false).unwrap();
                        stream.set_read_timeout(Some(PATIENCE)).unwrap();
                        let mut hello = [0; 5];
                        stream.read_exact(&mut hello).unwrap();
                        stream.write_all(from.ip().to_string().as_bytes()).unwrap();
                        return Some(from.ip());
                    }
                    Err(_) if std::time::Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                    Err(_) => return None,
                }
            }
        }))
    }

    /// Whom the server saw; none if nobody came.
    pub(crate) fn seen(self) -> Option<IpAddr> {
        self.0.join().unwrap()
    }
}

/// Connects, says hello, and answers what the server said.
pub(crate) fn ask(netns: &Netns, to: SocketAddr) -> std::io::Result<String> {
    ask_within(netns, to, PATIENCE)
}

pub(crate) fn ask_within(netns: &Netns, to: SocketAddr, patience: Duration) -> std::io::Result<String> {
    // A socket belongs to the namespace in which it was made; connect_timeout makes it.
    netns
        .run(|| {
            Ok::<_, Error>((|| {
                let mut stream = TcpStream::connect_timeout(&to, patience)?;
                stream.set_read_timeout(Some(patience))?;
                stream.write_all(b"hello")?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                Ok(answer)
            })())
        })
        .unwrap()
}

pub(crate) fn udp(netns: &Netns, at: SocketAddr) -> UdpSocket {
    let socket = netns.run(|| Ok::<_, Error>(UdpSocket::bind(at).unwrap())).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

pub(crate) fn get_sysctl(netns: &Netns, name: &[&str]) -> String {
    netns.run(|| sysctl::get(name)).unwrap()
}
