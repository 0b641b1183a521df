//! A nats-server of one test: on a free port, with a store of its own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let process = spawn(free.port(), folder.path());
        let mut server = Self { process, port: free.port(), folder };
        server.wait_until_up().await;
        server
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("our own process");
    }

    /// On the same port and store.
    pub async fn restart(&mut self) {
        self.process = spawn(self.port, self.folder.path());
        self.wait_until_up().await;
    }

    async fn wait_until_up(&mut self) {
        for _ in 0..400 {
            if let Ok(Some(status)) = self.process.try_wait() {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("nats-server ended with {status}: {log}");
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nats-server does not listen after ten seconds");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill(); // an error says that it has ended already
        let _ = self.process.wait();
    }
}

fn spawn(port: u16, folder: &Path) -> Child {
    let mut command = Command::new(program());
    command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store_dir"]);
    command.arg(folder.join("store")).arg("--log").arg(folder.join("log"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("nats-server starts")
}

/// A test that cannot run has failed: what is not tested does not work.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("MUSTER_NATS_SERVER") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("nats-server")).find(|file| file.is_file());
    found.expect("nats-server is not installed: `./test` installs it, or name one in MUSTER_NATS_SERVER")
}
